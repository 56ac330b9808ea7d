// Every runtime this machine has is held to every promise. runc is in Debian; crun and gVisor's runsc are tried where they are.
import { existsSync } from 'node:fs'
import { conformance } from 'tenement/conformance'
import * as runner from 'vitest'
import { makeRoot } from './makeRoot.js'

const runtimes = [
  ['/usr/sbin/runc'],
  ['/usr/bin/crun', '--cgroup-manager=disabled'],
  ['/usr/local/bin/runsc', '--rootless', '--ignore-cgroups', '--network=none'],
]

const { root, remove } = makeRoot()
runner.afterAll(remove)

for (const runtime of runtimes) {
  const [program = ''] = runtime
  if (existsSync(program))
    await conformance({ plugin: new URL('..', import.meta.url), runner, settings: { rootfs: root, runtime } })
  else runner.test(`isolation "container" by ${program}`, ({ skip }) => skip(`${program} is not installed`))
}
