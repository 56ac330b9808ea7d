// The order to end a run that is frozen, where the kernel refuses to thaw it: a cgroup file system that became read-only, say.
import { expect, test } from 'vitest'
import { stopRun } from '../../../src/launcher/liveRun.ts'
import type { Run, Site } from '../../../src/launcher/run.ts'

test('a run that cannot be thawed gets its stop signal all the same, and the launcher tells of it', async () => {
  const signals: string[] = []
  const warnings: unknown[] = []
  const run = {
    record: { service: 'api', id: 'alice' },
    depth: 0,
    state: { isFrozen: true, isKilled: false, endedFor: null },
    group: {
      cgroup: {
        setFrozen: () => {
          throw new Error('EROFS: read-only file system')
        },
      },
    },
    spawned: { child: { kill: (signal: string) => signals.push(signal) } },
    ended: Promise.resolve(),
  } as unknown as Run
  const site = { warn: (message: string, fields: object) => warnings.push({ message, ...fields }) } as unknown as Site
  await stopRun(site, run, 'SIGTERM', 10_000)
  expect(signals).toEqual(['SIGTERM'])
  expect(warnings).toEqual([
    {
      message: 'could not thaw a run that is to end',
      instance: 'api:alice',
      error: 'EROFS: read-only file system',
    },
  ])
})
