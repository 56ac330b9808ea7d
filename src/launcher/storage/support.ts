// Whether the file system below a directory holds projects to their limits, as the kernel itself says: the options it was mounted
// with tell of enforcement where there is none (ext4 shows `prjquota` after a remount that changed nothing). Changes nothing.
// It does not know who could leave a project; that depends on how an instance is confined.
import { closeSync, constants, openSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { barToQuotas, hasQuotaCall, type QuotaState, quotaState, readMembership } from '../libc/quota.ts'
import { byPoint, type Mount, mountsOf, mountUnder } from '../mounts.ts'

export type QuotaSupport =
  | { readonly isKept: true; readonly proof: string }
  | { readonly isKept: false; readonly reason: string; readonly fix: string }

/** `directory` need not exist yet: what is above it then tells. Throws where that cannot be opened. */
export const quotaSupport = (directory: string): QuotaSupport => {
  if (process.geteuid?.() !== 0) return lost('only root can hold instances to quotas', 'start tenement as root')
  if (!hasQuotaCall()) return lost('this kernel has no quotactl_fd', 'use Linux 5.14 or later')
  const path = nearestDirectory(directory)
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return supportAt(fd, path)
  } finally {
    closeSync(fd)
  }
}

const lost = (reason: string, fix: string): QuotaSupport => ({ isKept: false, reason, fix })

const nearestDirectory = (path: string): string => {
  try {
    return realpathSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === '/') throw error
    return nearestDirectory(dirname(path))
  }
}

const supportAt = (fd: number, path: string): QuotaSupport => {
  const mount = mountUnder(path, byPoint(mountsOf(process.pid)))
  const state = quotaState(fd)
  const where = mount === undefined ? `the file system of "${path}"` : `${mount.type} at "${mount.point}"`
  if (state !== 'enforced') return lost(`${where} ${states[state]}`, fixFor(state, mount))
  const bar = barToQuotas(fd)
  if (bar !== undefined)
    return lost(`tenement may not manage the quotas of ${where} (${bar})`, 'start it as root of the machine itself')
  const { project, isInherited } = readMembership(fd)
  if (isInherited && project !== 0)
    return lost(
      `"${path}" belongs to project ${project} already, and no project lies in another`,
      `take it out, where nobody needs that: chattr -P -p 0 "${path}"`,
    )
  return { isKept: true, proof: `${where} enforces the limits of projects, as quotactl(2) says` }
}

const states: Readonly<Record<Exclude<QuotaState, 'enforced'>, string>> = {
  off: 'keeps no project quotas',
  counted: 'counts what projects store and holds none to its limits',
}

const fixFor = (state: QuotaState, mount: Mount | undefined): string => {
  const { point, source, type } = mount ?? { point: 'it', source: 'its device', type: '' }
  const again = `mount it anew with prjquota among its options in /etc/fstab (a remount does not do${
    type === 'xfs' ? '; the root file system takes rootflags=prjquota on the kernel command line' : ''
  })`
  if (type === 'ext4' && state === 'off')
    return `umount ${point}, tune2fs -O project,quota -Q prjquota ${source}, and ${again}`
  if (type === 'ext4') return `umount ${point}, and ${again}, or quotaon -P ${point}`
  return type === 'xfs' ? `umount ${point}, and ${again}` : 'keep the data on ext4 or xfs, mounted with prjquota'
}
