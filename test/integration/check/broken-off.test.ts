// An attack that somebody breaks off: what it made goes with it, or at least nothing of it runs on.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { removeSharedObjects, removeSystemV } from '../../../src/proof/sharedObjects.ts'
import { endWithTests } from '../../helpers/endWithTests.ts'
import { isAlive } from '../../helpers/processes.ts'
import { isRoot } from '../../helpers/root.ts'
import { startTenement } from '../../helpers/tenement.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

vi.setConfig({ testTimeout: 120_000 })

const main = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const parent = isRoot ? '/var/lib' : join(process.env.XDG_STATE_HOME ?? join(homedir(), '.local/state'), 'tenement')

const placesOf = ({ pid }: ChildProcess): readonly string[] =>
  (existsSync(parent) ? readdirSync(parent) : [])
    .filter((name) => name.startsWith(`tenement-attack-${pid}-`))
    .map((name) => join(parent, name))

const childrenOf = (pid: number): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => parentOf(each) === pid)

const parentOf = (pid: number): number | undefined => {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1])
  } catch {
    return undefined // it has ended
  }
}

/** Every process below it, itself not among them. */
const allBelow = (pid: number): readonly number[] => childrenOf(pid).flatMap((each) => [each, ...allBelow(each)])

const startAttack = async (): Promise<ChildProcess> => {
  const command = spawn(process.execPath, [main, 'check', '--attack', '--isolation', 'none'], {
    stdio: 'ignore',
  })
  endWithTests(command)
  await waitUntil(() => allBelow(command.pid ?? 0).length >= 4, 60_000)
  return command
}

/**
 * What nobody was there to remove, the file of the launcher's lock on its uids and the objects of its neighbour included: a user may
 * have no more than nine message queues (RLIMIT_MSGQUEUE, getrlimit(2)).
 */
const removePlace = (place: string): void => {
  const { policy } = JSON.parse(readFileSync(join(place, 'settings.json'), 'utf8'))
  if (policy.tenantUids !== undefined) {
    const { first, last } = policy.tenantUids
    rmSync(`/run/tenement-uids/${first}-${last}`, { force: true })
    removeSystemV(({ uid }) => uid >= first && uid <= last)
  }
  // Of no key: without a uid of its own nothing tells its System V objects from those of another attack.
  removeSharedObjects({ key: -1, name: basename(place) }, process.getuid?.() ?? 0)
  rmSync(place, { recursive: true, force: true })
}

describe('check --attack', () => {
  test('removes what it made when it is interrupted, and ends by the signal', async () => {
    const command = await startAttack()
    const below = allBelow(command.pid ?? 0)
    command.kill('SIGINT')
    const [code, signal] = await once(command, 'exit')
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGINT' })
    expect(placesOf(command)).toEqual([])
    expect(below.filter(isAlive)).toEqual([])
  })

  test('leaves no process behind when it is killed', async () => {
    const command = await startAttack()
    const below = allBelow(command.pid ?? 0)
    command.kill('SIGKILL')
    await once(command, 'exit')
    await waitUntil(() => !below.some(isAlive), 60_000)
    for (const place of placesOf(command)) removePlace(place)
  })
})

test('serve says at its start that nothing was ever proved, and serves', async () => {
  const tenement = await startTenement({
    config: '[service.api]\ncommand = "sleep 60"\ncwd = "/usr"\nisolation = "none"\n',
  })
  try {
    await waitUntil(() => tenement.output().includes('never proved: run tenement check --attack'))
  } finally {
    await tenement.stop()
  }
})
