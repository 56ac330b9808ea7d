// Project quotas: which project a file belongs to (ioctl_fs, FS_IOC_FSGETXATTR of linux/fs.h), and what the file system holds a
// project to (quotactl(2)). Always quotactl_fd, by a descriptor of any file there: the older call wants the path of a block device,
// which a mount point need not have, and kernels without it (before 5.14) let an owner leave its project from a user namespace too.
// What it writes only root may write, in the first user namespace.
import { checked, errno, library, SystemError } from './call.ts'

const c = {
  ioctl: library.func('int ioctl(int fd, unsigned long request, void *argument)'),
  quotactl: library.func(
    'long syscall(long number, unsigned int fd, unsigned int command, uint32_t id, void *address)',
  ),
}

/** 443 on every architecture (Linux 5.14). */
const quotactlFd = 443

/** QCMD(command, PRJQUOTA): linux/quota.h, linux/dqblk_xfs.h. */
const commandFor = (command: number): number => ((command << 8) | 2) >>> 0

const commands = {
  get: commandFor(0x800007), // Q_GETQUOTA
  set: commandFor(0x800008), // Q_SETQUOTA
  state: commandFor(0x5808), // Q_XGETQSTATV, which tells of every file system, not only of xfs
} as const

/** What the kernel says against it; undefined where it did it. */
const refusalOf = (fd: number, command: number, id: number, buffer: Uint8Array): SystemError | undefined =>
  Number(c.quotactl(quotactlFd, fd >>> 0, command, id, buffer)) === 0
    ? undefined
    : new SystemError('quotactl_fd', errno())

/** Whether this kernel has quotactl_fd(2): asked of a descriptor that is never open, a kernel that has it answers EBADF, an older one ENOSYS. */
export const hasQuotaCall = (): boolean => refusalOf(0xffffffff, commands.state, 0, stateRequest())?.code === 'EBADF'

/** struct fs_quota_statv, whose first byte is the version that is asked for. */
const stateRequest = (): Buffer => {
  const state = Buffer.alloc(200)
  state.writeInt8(1, 0)
  return state
}

/** 'off' also where the file system knows no projects, or no quotas at all. */
export type QuotaState = 'enforced' | 'counted' | 'off'

export const quotaState = (fd: number): QuotaState => {
  const state = stateRequest()
  return refusalOf(fd, commands.state, 0, state) === undefined ? stateOf(state) : 'off'
}

/** FS_QUOTA_PDQ_ACCT and FS_QUOTA_PDQ_ENFD of qs_flags. */
export const stateOf = (state: Buffer): QuotaState => {
  const flags = state.readUInt16LE(2)
  if ((flags & 0x10) === 0) return 'off'
  return (flags & 0x20) === 0 ? 'counted' : 'enforced'
}

/** Undefined where this process may manage quotas; else the errno's name. */
export const barToQuotas = (fd: number): string | undefined =>
  refusalOf(fd, commands.get, 0, Buffer.alloc(quotaBytes))?.code

/** Hard limits; 0 is none. */
export interface Limits {
  readonly maxBytes: number
  readonly maxFiles: number
}

export interface Quota extends Limits {
  readonly bytes: number
  readonly files: number
}

/** struct if_dqblk: eight 64-bit numbers, then what of them is meant. */
const quotaBytes = 72

/** A project nobody was given limits may be unknown to the file system: then it is all zero (xfs). */
export const readQuota = (fd: number, project: number): Quota => {
  const quota = Buffer.alloc(quotaBytes)
  const refusal = refusalOf(fd, commands.get, project, quota)
  if (refusal !== undefined && refusal.code !== 'ENOENT') throw refusal
  return quotaOf(quota)
}

export const quotaOf = (quota: Buffer): Quota => ({
  maxBytes: Number(quota.readBigUInt64LE(0)) * blockBytes,
  bytes: Number(quota.readBigUInt64LE(16)),
  maxFiles: Number(quota.readBigUInt64LE(24)),
  files: Number(quota.readBigUInt64LE(40)),
})

/** Limits are counted in these (QIF_DQBLKSIZE), whatever the blocks of the file system. */
const blockBytes = 1_024

/** Hard limits, without the soft ones that may be passed for a while; zeros lift them. */
export const writeLimits = (fd: number, project: number, limits: Limits): void => {
  const refusal = refusalOf(fd, commands.set, project, limitsOf(limits))
  if (refusal !== undefined) throw refusal
}

/** What becomes of limits when they are written: whole blocks, and whole files. */
export const writableLimits = ({ maxBytes, maxFiles }: Limits): Limits => ({
  maxBytes: Math.floor(maxBytes / blockBytes) * blockBytes,
  maxFiles: Math.floor(maxFiles),
})

export const limitsOf = (limits: Limits): Buffer => {
  const { maxBytes, maxFiles } = writableLimits(limits)
  const quota = Buffer.alloc(quotaBytes)
  quota.writeBigUInt64LE(BigInt(maxBytes / blockBytes), 0)
  quota.writeBigUInt64LE(BigInt(maxFiles), 24)
  quota.writeUInt32LE(1 | 4, 64) // QIF_BLIMITS | QIF_ILIMITS
  return quota
}

export interface Membership {
  readonly project: number
  /** Whether what is made in a directory belongs to its project. */
  readonly isInherited: boolean
}

/** FS_IOC_FSGETXATTR and FS_IOC_FSSETXATTR: _IOR and _IOW of 'X', 31 and 32, and the size of struct fsxattr. */
const attributeRequests = { get: 0x801c581f, set: 0x401c5820 } as const

const attributesOf = (fd: number): Buffer => {
  const attributes = Buffer.alloc(28)
  checked('ioctl', c.ioctl(fd, attributeRequests.get, attributes))
  return attributes
}

/** Of an open file; a descriptor of the path alone (O_PATH) does not do. */
export const readMembership = (fd: number): Membership => membershipOf(attributesOf(fd))

export const membershipOf = (attributes: Buffer): Membership => ({
  project: attributes.readUInt32LE(12),
  isInherited: (attributes.readUInt32LE(0) & projectInherited) !== 0,
})

const projectInherited = 0x200 // FS_XFLAG_PROJINHERIT

/** Makes an open file, or a directory and all that will be made in it, the project's. */
export const joinProject = (fd: number, membership: Membership): void => {
  checked('ioctl', c.ioctl(fd, attributeRequests.set, withMembership(attributesOf(fd), membership)))
}

/** The other attributes as they were: they are written together. */
export const withMembership = (attributes: Buffer, { project, isInherited }: Membership): Buffer => {
  const changed = Buffer.from(attributes)
  const flags = changed.readUInt32LE(0)
  changed.writeUInt32LE((isInherited ? flags | projectInherited : flags & ~projectInherited) >>> 0, 0)
  changed.writeUInt32LE(project, 12)
  return changed
}
