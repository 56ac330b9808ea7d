// Whom the end of a run must not hit: processes that got a number which was the run's own before.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { endGroup } from '../../../src/launcher/endGroup.ts'
import { type FirstProcess, firstProcessOf, type Group, statOf } from '../../../src/launcher/processes.ts'
import { firstChildOf, isAlive } from '../../helpers/processes.ts'
import { isRoot, testAsRoot } from '../../helpers/root.ts'
import { newTenantUids } from '../../helpers/tenantUids.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const started: ChildProcess[] = []
const start = (program: string, ...args: string[]): number => {
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  started.push(child)
  if (child.pid === undefined) throw new Error(`${program} did not start`)
  return child.pid
}
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
})

/** The first process of a process namespace of its own, which sleeps. */
const startNamespace = async (): Promise<FirstProcess> => {
  const user = isRoot ? [] : ['--user']
  const outer = start('/usr/bin/unshare', ...user, '--pid', '--fork', '--kill-child', '/bin/sleep', '60')
  await waitUntil(() => firstChildOf(outer) > 0 && firstProcessOf(firstChildOf(outer)) !== undefined)
  const first = firstProcessOf(firstChildOf(outer))
  if (first === undefined) throw new Error('it has no process namespace of its own')
  return first
}

const end = (group: Group): Promise<void> =>
  endGroup(group, (pids) => {
    throw new Error(`${pids} survive`)
  })

describe('the end of a run that shares a uid with others', () => {
  test('hits what is in its process namespace while the first process of that is there', async () => {
    const first = await startNamespace()
    await end({ kind: 'session', leader: undefined, run: '0'.repeat(12), first })
    expect(isAlive(first.pid)).toBe(false)
  })

  test('hits nobody whose process namespace got its number after it was gone', async () => {
    const other = await startNamespace()
    const gone = { ...other, pid: other.pid, startTicks: other.startTicks - 1 }
    await end({ kind: 'session', leader: undefined, run: '0'.repeat(12), first: gone })
    expect(isAlive(other.pid)).toBe(true)
  })

  test('hits the session that its leader began, and none that began with the same pid later', async () => {
    const pid = start('/bin/sleep', '60')
    const startTicks = statOf(pid)?.startTicks ?? 0
    await end({ kind: 'session', leader: { pid, startTicks: startTicks - 1 }, run: '0'.repeat(12) })
    expect(isAlive(pid)).toBe(true)
    await end({ kind: 'session', leader: { pid, startTicks }, run: '0'.repeat(12) })
    expect(isAlive(pid)).toBe(false)
  })
})

/** Whether a process of root outlives the end of a uid, in a process namespace of its own: nothing else could be hit. */
const outlives = (...options: string[]): string => {
  const launcherFile = (path: string): string =>
    fileURLToPath(new URL(`../../../dist/launcher/${path}`, import.meta.url))
  const script = `
    import { spawn } from 'node:child_process'
    import { atKillersTurn } from '${launcherFile('killersTurn.js')}'
    import { killUid } from '${launcherFile('libc/killUid.js')}'
    const echo = spawn('/bin/cat', { stdio: ['pipe', 'pipe', 'inherit'] })
    echo.once('spawn', () => {
      const strike = () => { hasStruck = true; killUid(${newTenantUids().first}) }
      let hasStruck = false
      try { while (!hasStruck) atKillersTurn(strike) } catch (error) { process.stdout.write(error.code + ' ') }
      echo.once('exit', (code, signal) => process.stdout.write(signal ?? 'lives'))
      echo.stdin.on('error', () => undefined)
      echo.stdin.end()
    })`
  const inside = ['/usr/bin/setpriv', ...options, process.execPath, '--input-type=module', '-e', script]
  return execFileSync('/usr/bin/unshare', ['--pid', '--fork', '--kill-child', ...inside], { encoding: 'utf8' })
}

describe('the end of all processes of a uid', () => {
  testAsRoot('hits none of root', () => {
    expect(outlives('--no-new-privs')).toBe('lives')
  })

  testAsRoot('is not tried where the launcher would keep its capabilities for it (SECBIT_NO_SETUID_FIXUP)', () => {
    expect(outlives('--securebits=+no_setuid_fixup')).toBe('EINVAL lives')
  })
})
