import { chownSync, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { isRoot } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

/** Where this machine bounds memory: cgroup v1's own hierarchy, or v2 with the controller enabled. */
const controllers = [
  { root: '/sys/fs/cgroup/memory', bound: 'memory.limit_in_bytes' },
  { root: '/sys/fs/cgroup', bound: 'memory.max' },
]

/** A cgroup of the test's own with 64 MB; undefined where none can be made. */
const makeCgroup = (): string | undefined => {
  for (const { root, bound } of controllers) {
    const path = join(root, `tenement-test-${process.pid}`)
    try {
      mkdirSync(path)
      if (existsSync(join(path, bound))) {
        writeFileSync(join(path, bound), String(64 * 1024 ** 2))
        return path
      }
      rmdirSync(path)
    } catch {
      // no such hierarchy here, or not for us
    }
  }
  return undefined
}

describe('an instance that the kernel kills for want of memory', () => {
  const cgroup = isRoot ? makeCgroup() : undefined
  let launcher: TestLauncher
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(async () => {
    await launcher.close()
    if (cgroup !== undefined) await waitUntil(() => !existsSync(cgroup) || removed(cgroup))
  })
  const removed = (path: string): boolean => {
    try {
      rmdirSync(path)
      return true
    } catch {
      return false // its last process is still going
    }
  }

  test('is reported as out of memory', async ({ skip }) => {
    if (cgroup === undefined) return skip('a bound on memory needs root and a memory controller')
    const identity = launcher.launchOf().identity
    // The instance joins by itself: whoever owns cgroup.procs may move its own processes there.
    chownSync(join(cgroup, 'cgroup.procs'), identity?.uid ?? 0, identity?.gid ?? 0)
    const eat = `echo $$ > ${cgroup}/cgroup.procs && exec python3 -c "x = bytearray(256 * 1024 * 1024); print(len(x))"`
    const launch = launcher.launchOf({ argv: ['/bin/sh', '-c', eat] })
    await launcher.ask({
      type: 'launch',
      run: newRunName(),
      service: 'api',
      id: 'alice',
      launch,
      watch: true,
      note: null,
    })
    expect(await launcher.next(({ type }) => type === 'exited')).toMatchObject({
      exit: { code: null, signal: 'SIGKILL', outOfMemory: true },
    })
  })
})
