import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isFrozen } from '../../helpers/frozen.ts'
import { newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { cgroupsOf, isAlive } from '../../helpers/processes.ts'
import { isRoot } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

/** Where version 1 keeps its freezer; absent where only version 2 is mounted, whose cgroup.kill ends what is frozen too. */
const freezer = '/sys/fs/cgroup/freezer'

// A launcher that dies while it ends a run by the freezer leaves it frozen, and SIGKILL waits until it is thawed.
test('a launcher ends what an earlier one left frozen', async ({ skip }) => {
  if (!isRoot) skip('only root may use cgroups of version 1')
  if (!existsSync(freezer)) skip('this machine has no freezer of cgroup version 1')
  const launcher = await startTestLauncher()
  const run = newRunName()
  const launch = launcher.launchOf({ resources: { processes: 20 } })
  const { value } = await launcher.ask({
    ...{ type: 'launch', run, service: 'api', id: 'alice', launch, watch: false, note: null },
  })
  const path =
    cgroupsOf(value.pid)
      .find((line) => line.includes(':freezer:'))
      ?.split(':')[2] ?? ''
  expect(path).toContain(run)
  launcher.process.kill('SIGKILL')
  await waitUntil(() => launcher.process.signalCode !== null)
  writeFileSync(join(freezer, path, 'freezer.state'), 'FROZEN')
  expect(isAlive(value.pid)).toBe(true)

  const next = await startTestLauncher({ root: launcher.root, policy: launcher.policy }).catch((error: unknown) => {
    writeFileSync(join(freezer, path, 'freezer.state'), 'THAWED')
    throw error
  })
  expect(isAlive(value.pid)).toBe(false)
  expect(readdirSync(freezer)).not.toContain(run)
  await next.close()
})

/** A run that says what it hears, held still. */
const launchFrozen = async (launcher: TestLauncher) => {
  const run = newRunName()
  const argv = [
    '/bin/sh',
    '-c',
    'trap "echo asked; exit 7" TERM; echo ready; while :; do /bin/sleep 0.01; done',
  ] as const
  const launch = launcher.launchOf({ argv })
  const { value } = await launcher.ask({
    ...{ type: 'launch', run, service: 'api', id: 'alice', launch, watch: true, note: null, isFreezable: true },
  })
  await launcher.next(({ type, lines }) => type === 'output' && lines.includes('ready'))
  expect(await launcher.ask({ type: 'freeze', run, on: true })).toMatchObject({ type: 'reply', value: true })
  await waitUntil(() => isFrozen(value.pid))
  return { run, pid: value.pid as number }
}

/** The exit that a launcher tells of a run. */
const exitOf = async (launcher: TestLauncher, run: string) =>
  (await launcher.next((message) => message.type === 'exited' && message.run === run)).exit

test('a frozen run that is to be stopped hears its stop signal', async ({ skip }) => {
  if (!isRoot) skip('only root is sure to have cgroups')
  const launcher = await startTestLauncher()
  const { run } = await launchFrozen(launcher)
  await launcher.ask({ type: 'stop', run, signal: 'SIGTERM', timeoutMs: 30_000 })
  expect(await exitOf(launcher, run)).toMatchObject({ code: 7, signal: null, lastLines: ['ready', 'asked'] })
  await launcher.close()
})

test('a frozen run that is to be killed is killed', async ({ skip }) => {
  if (!isRoot) skip('only root is sure to have cgroups')
  const launcher = await startTestLauncher()
  const { run, pid } = await launchFrozen(launcher)
  await launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
  expect(await exitOf(launcher, run)).toMatchObject({ signal: 'SIGKILL', lastLines: ['ready'] })
  expect(isAlive(pid)).toBe(false)
  await launcher.close()
})

test('a run that is being killed is not frozen any more', async ({ skip }) => {
  if (!isRoot) skip('only root is sure to have cgroups')
  const launcher = await startTestLauncher()
  const { run, pid } = await launchFrozen(launcher)
  const killed = launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
  const answer = await launcher.ask({ type: 'freeze', run, on: true })
  // By then it may be gone already.
  if (answer.type === 'failed') expect(answer).toMatchObject({ code: 'refused', message: expect.stringContaining(run) })
  else expect(answer).toMatchObject({ type: 'reply', value: false })
  await killed
  expect(isAlive(pid)).toBe(false)
  await launcher.close()
})

test('a launcher that is to end does not leave a frozen run behind', async ({ skip }) => {
  if (!isRoot) skip('only root is sure to have cgroups')
  const launcher = await startTestLauncher()
  const { pid } = await launchFrozen(launcher)
  await launcher.close()
  expect(isAlive(pid)).toBe(false)
})

test('a run that was not started to be frozen, and has no bounds, is not', async () => {
  const launcher = await startTestLauncher()
  const run = newRunName()
  const launch = launcher.launchOf()
  await launcher.ask({ type: 'launch', run, service: 'api', id: 'alice', launch, watch: false, note: null })
  expect(await launcher.ask({ type: 'freeze', run, on: true })).toMatchObject({ type: 'reply', value: false })
  await launcher.close()
})

test('nobody freezes what is no run', async () => {
  const launcher = await startTestLauncher()
  expect(await launcher.ask({ type: 'freeze', run: newRunName(), on: true })).toMatchObject({ code: 'refused' })
  expect(await launcher.ask({ type: 'freeze', run: newRunName(), on: 'yes' })).toMatchObject({ code: 'refused' })
  await launcher.close()
})
