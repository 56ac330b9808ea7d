// Runs the attacks of one topic, with what they aim at as JSON on standard input, and prints what became of each row as a line
// of JSON. It is executed inside an instance, as hostile code of a tenant would be.
import { readFileSync } from 'node:fs'
import { type Attack, tryAttack } from './attempt.ts'
import { files } from './programs/files.ts'
import { namespaces } from './programs/namespaces.ts'
import { network } from './programs/network.ts'
import { proc } from './programs/proc.ts'
import { processes } from './programs/processes.ts'
import { shared } from './programs/shared.ts'
import { syscalls } from './programs/syscalls.ts'
import { terminals } from './programs/terminals.ts'
import type { Targets } from './targets.ts'

const topics: Readonly<Record<string, (targets: Targets) => readonly Attack[]>> = {
  files,
  proc,
  network,
  syscalls,
  terminals,
  processes,
  namespaces,
  shared,
}

const topic = process.argv[2] ?? ''
const attacks = Object.hasOwn(topics, topic) ? topics[topic] : undefined
if (attacks === undefined) throw new Error(`no topic "${topic}"; there are ${Object.keys(topics).join(', ')}`)
// What the kernel refuses with a signal that Node would die of is part of what is asked about.
process.on('SIGWINCH', () => undefined)
for (const attack of attacks(JSON.parse(readFileSync(0, 'utf8')))) console.log(JSON.stringify(await tryAttack(attack)))
process.exit()
