// Whether the kernel holds a process still, as its cgroups tell: version 1 by its freezer, version 2 by the events of the one cgroup.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cgroupsOf } from './processes.ts'

const mounts = { freezer: '/sys/fs/cgroup/freezer', unified: ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'] }

const pathIn = (pid: number, key: string): string =>
  cgroupsOf(pid)
    .find((line) => line.split(':')[1] === key)
    ?.split(':')[2] ?? '/'

const readOr = (file: string): string => (existsSync(file) ? readFileSync(file, 'latin1') : '')

export const isFrozen = (pid: number): boolean =>
  readOr(join(mounts.freezer, pathIn(pid, 'freezer'), 'freezer.state')).trim() === 'FROZEN' ||
  mounts.unified.some((mount) => /^frozen 1$/m.test(readOr(join(mount, pathIn(pid, ''), 'cgroup.events'))))
