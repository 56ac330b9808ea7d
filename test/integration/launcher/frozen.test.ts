import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newRunName, startTestLauncher } from '../../helpers/launcher.ts'
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
