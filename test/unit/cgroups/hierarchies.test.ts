import { describe, expect, test } from 'vitest'
import { directoryOf, hierarchiesIn, membershipsIn, pathOf } from '../../../src/cgroups/hierarchies.ts'

const mountOf = (type: string, top: string, at: string, options: string): string =>
  `31 23 0:28 ${top} ${at} rw,relatime shared:9 - ${type} ${type} ${options}`

const only = (mountinfo: string, selfCgroup: string) => {
  const [found, ...more] = hierarchiesIn(mountinfo, selfCgroup)
  expect(more).toEqual([])
  if (found === undefined) throw new Error('no hierarchy was found')
  return found
}

describe('a hierarchy is where mountinfo says', () => {
  test('version 2 at the usual place', () => {
    const found = only(mountOf('cgroup2', '/', '/sys/fs/cgroup', 'rw,nsdelegate'), '0::/system.slice/t.service\n')
    expect(found).toMatchObject({ version: 2, key: '', own: '/system.slice/t.service' })
    expect(directoryOf(found, found.own)).toBe('/sys/fs/cgroup/system.slice/t.service')
  })

  test('controllers of version 1 that share a mount are one hierarchy, however the kernel orders them', () => {
    const found = only(mountOf('cgroup', '/', '/sys/fs/cgroup/cpu,cpuacct', 'rw,cpuacct,cpu'), '4:cpu,cpuacct:/\n')
    expect(found).toMatchObject({ version: 1, key: 'cpu,cpuacct', mountPoint: '/sys/fs/cgroup/cpu,cpuacct' })
  })

  test('what a container shows at the top is the container, and its paths are those of the whole machine', () => {
    const found = only(mountOf('cgroup', '/docker/1f', '/sys/fs/cgroup/pids', 'rw,pids'), '5:pids:/docker/1f/app\n')
    expect(directoryOf(found, '/docker/1f/app')).toBe('/sys/fs/cgroup/pids/app')
    expect(pathOf(found, '/sys/fs/cgroup/pids/tenement-1')).toBe('/docker/1f/tenement-1')
  })

  test('a mount that shows another part of the tree than the one this process is in is passed over', () => {
    expect(hierarchiesIn(mountOf('cgroup2', '/other', '/mnt', 'rw'), '0::/mine\n')).toEqual([])
    expect(hierarchiesIn(mountOf('cgroup2', '/', '/mnt', 'rw'), '0::/../outside\n')).toEqual([])
  })

  test('of two mounts of one hierarchy the first is taken', () => {
    const twice = [mountOf('cgroup2', '/', '/a', 'rw'), mountOf('cgroup2', '/', '/b', 'rw')].join('\n')
    expect(only(twice, '0::/\n').mountPoint).toBe('/a')
  })

  test('a space in a path is read as one', () => {
    expect(only(mountOf('cgroup2', '/', '/my\\040cgroups', 'rw'), '0::/\n').mountPoint).toBe('/my cgroups')
  })

  test('other file systems, and a machine without any, have none', () => {
    expect(hierarchiesIn('31 23 0:28 / /tmp rw - tmpfs tmpfs rw,memory', '3:memory:/\n')).toEqual([])
    expect(hierarchiesIn('', '')).toEqual([])
  })
})

test('a name with colons in a path of /proc/PID/cgroup belongs to the path', () => {
  expect(membershipsIn('1:name=systemd:/a:b\n0::/c\n')).toEqual(
    new Map([
      ['name=systemd', '/a:b'],
      ['', '/c'],
    ]),
  )
})
