// How long `tenement check` takes, on a config of three services and on none, and with attacks: what a person waits for at a terminal.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { median } from '../lib/numbers.mjs'
import { inPlace, isRoot, newTenantUids, repository } from '../lib/place.mjs'
import { servicesFor } from '../lib/services.mjs'
import { configFor } from '../lib/tenement.mjs'

export const title = 'from the command to its end (seconds)'
export const columns = ['command', 'of', 'seconds']

const commands = [
  { of: 'three services', args: ['check'], atMost: 3, isOften: true },
  { of: 'three services', args: ['check', '--no-machine'], isOften: true },
  { of: 'no config', args: ['check'], isWithoutConfig: true, atMost: 3, isOften: true },
  // With a config, in whose own directory the proof is kept.
  { of: 'three services', args: ['check', '--attack', '--isolation', 'sandbox'] },
  { of: 'three services', args: ['check', '--attack'], atMost: 30 },
]

/** Resolves with the seconds a command took and how it ended: findings (3) are an end like any other, a wrong config (2) is none. */
const run = (cwd, args) =>
  new Promise((resolve, reject) => {
    const begun = performance.now()
    const env = { ...process.env, HOME: cwd, XDG_STATE_HOME: join(cwd, 'state') }
    execFile(process.execPath, [join(repository, 'dist/cli/main.js'), ...args], { cwd, env }, (error, _, told) => {
      const code = error === null ? 0 : error.code
      if (code === 0 || code === 3) resolve((performance.now() - begun) / 1_000)
      else reject(new Error(`tenement ${args.join(' ')} ended with ${code}: ${told}`))
    })
  })

export const measure = ({ rounds }) =>
  inPlace(async (place) => {
    const file = join(place.root, 'services.toml')
    const services = servicesFor(place, ['fd'])
    writeFileSync(file, configFor(place.root, newTenantUids(), '', services))
    const values = commands.map(() => [])
    for (let round = 0; round < Math.ceil(rounds / 4); round += 1)
      for (const [index, { args, isWithoutConfig = false, isOften = false }] of commands.entries())
        if (isOften || round === 0)
          values[index].push(await run(place.root, isWithoutConfig ? args : [...args, '--config', file]))
    const who = isRoot ? 'root' : 'an ordinary user'
    const rows = commands.map(({ of, args }, index) => ({
      command: `tenement ${args.join(' ')}, as ${who}`,
      of,
      seconds: median(values[index]),
    }))
    const goals = commands.flatMap(({ of, args, atMost }, index) =>
      atMost === undefined
        ? []
        : [{ what: `tenement ${args.join(' ')}, ${of}, s`, found: median(values[index]), atMost }],
    )
    return { rows, goals, values }
  })
