// What cgroups can keep on a machine, and the words for what they cannot. Data, and nothing that touches the machine.

/** Bounds on all processes of a run together; an absent one is unlimited. */
export interface Bounds {
  readonly memoryBytes?: number
  readonly cpus?: number
  /** Share of busy processors, 1 to 10000; 100 is usual. */
  readonly cpuWeight?: number
  readonly processes?: number
}

/** 'kill': ending all processes of a run at once, whatever they do meanwhile. */
export type Resource = 'memory' | 'processes' | 'cpu' | 'kill'

export interface Absence {
  readonly reason: string
  /** The narrowest change that would help. */
  readonly fix: string
  /** It is so for what the service manager started this process by; another unit may well be able to. */
  readonly isOfUnit?: true
}

export type ResourceSupport = Readonly<Record<Resource, 'enforced' | Absence>>

interface Facts {
  /** The kernel's name of the controller. */
  readonly controller: string
  /** The promise it keeps, as in isolation/capabilities.ts. */
  readonly capability?: string
  readonly bounds: readonly (keyof Bounds)[]
}

/** Version 1 kills through its freezer; version 2 needs no controller for it. */
export const resources: Readonly<Record<Resource, Facts>> = {
  memory: { controller: 'memory', capability: 'res.memory', bounds: ['memoryBytes'] },
  processes: { controller: 'pids', capability: 'res.pids', bounds: ['processes'] },
  cpu: { controller: 'cpu', capability: 'res.cpu', bounds: ['cpus', 'cpuWeight'] },
  kill: { controller: 'freezer', bounds: [] },
}

export const resourceNames = ['memory', 'processes', 'cpu', 'kill'] as const satisfies readonly Resource[]

export const notMounted: Absence = {
  reason: 'no cgroup file system is mounted',
  fix: 'mount one: mount -t cgroup2 none /sys/fs/cgroup',
}

export const needsRootForVersion1: Absence = {
  reason: 'this machine has cgroup version 1, which only root may use safely',
  fix: 'start tenement as root, or boot with systemd.unified_cgroup_hierarchy=1 for version 2',
}

export const readOnly = (mountPoint: string): Absence => ({
  reason: `cgroups cannot be made below ${mountPoint}: it is mounted read-only`,
  fix: 'run tenement on the machine itself, or in a container whose /sys/fs/cgroup may be written (docker: --privileged --cgroupns=private)',
})

const userDropIn =
  'write "[Service]" and "Delegate=cpu memory pids" into /etc/systemd/system/user@.service.d/delegate.conf, run systemctl daemon-reload, and log in again'

/** systemd writes the cgroups of its units itself unless one says Delegate= (systemd.resource-control(5)). */
export const notDelegated = (own: string, isRoot: boolean): Absence => ({
  reason: `the cgroup ${own} belongs to systemd, which was not told to leave it to tenement`,
  fix: isRoot
    ? 'put "Delegate=yes" into the [Service] section of the unit that starts tenement (in a terminal: systemd-run --scope -p Delegate=yes tenement serve)'
    : `start it by systemd-run --user --scope -p Delegate=yes tenement serve, or put "Delegate=yes" into the unit; where controllers are missing then, as root: ${userDropIn}`,
  isOfUnit: true,
})

export const notWritable = (own: string): Absence => ({
  reason: `the cgroup ${own} may not be written by the user who starts tenement`,
  fix: 'start it by systemd-run --user --scope -p Delegate=yes tenement serve, or as root',
  isOfUnit: true,
})

export const notHandedDown = (controller: string, own: string, isRoot: boolean): Absence => ({
  reason: `the controller "${controller}" is not handed down to the cgroup ${own}`,
  fix: isRoot
    ? `put "Delegate=yes" into the unit that starts tenement, or +${controller} into cgroup.subtree_control above it`
    : userDropIn,
})

export const notInKernel = (controller: string): Absence => ({
  reason: `the kernel has no cgroup controller "${controller}"`,
  fix: 'use a kernel that was built with it, such as that of any distribution',
})

export const disabledAtBoot = (controller: string): Absence => ({
  reason: `the cgroup controller "${controller}" is disabled`,
  fix: `boot with cgroup_enable=${controller} on the kernel's command line`,
})

export const controllerNotMounted = (controller: string): Absence => ({
  reason: `the cgroup controller "${controller}" is mounted nowhere`,
  fix: `boot with systemd.unified_cgroup_hierarchy=1, or mount it: mount -t cgroup -o ${controller} none /sys/fs/cgroup/${controller}`,
})
