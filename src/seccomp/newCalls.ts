// Numbers of system calls that are younger than libseccomp as distributions ship it: 2.5.4 knows those of Linux 5.17 and
// before. From 424 on a call has one number on all architectures; one that an architecture lacks is absent in its column.
// Source: arch/x86/entry/syscalls/syscall_64.tbl and scripts/syscall.tbl of Linux 6.19.
import type { Architecture } from './architectures.ts'

type Numbers = Readonly<Partial<Record<Architecture['name'], number>>>

const onBoth = (number: number): Numbers => ({ x86_64: number, aarch64: number })

const numbers: Readonly<Record<string, Numbers>> = {
  uretprobe: { x86_64: 335 },
  uprobe: { x86_64: 336 },
  riscv_hwprobe: {},
  set_mempolicy_home_node: onBoth(450),
  cachestat: onBoth(451),
  fchmodat2: onBoth(452),
  map_shadow_stack: onBoth(453),
  futex_wake: onBoth(454),
  futex_wait: onBoth(455),
  futex_requeue: onBoth(456),
  statmount: onBoth(457),
  listmount: onBoth(458),
  lsm_get_self_attr: onBoth(459),
  lsm_set_self_attr: onBoth(460),
  lsm_list_modules: onBoth(461),
  mseal: onBoth(462),
  setxattrat: onBoth(463),
  getxattrat: onBoth(464),
  listxattrat: onBoth(465),
  removexattrat: onBoth(466),
  open_tree_attr: onBoth(467),
  file_getattr: onBoth(468),
  file_setattr: onBoth(469),
  listns: onBoth(470),
}

/** A call by name: its number here, 'elsewhere' where only other architectures have it, undefined where nobody knows it. */
export type Resolved = number | 'elsewhere' | undefined

export const resolveNewCall = (name: string, architecture: Architecture['name']): Resolved =>
  Object.hasOwn(numbers, name) ? (numbers[name]?.[architecture] ?? 'elsewhere') : undefined

/** The name of a call of this number; undefined where it is not in this table. */
export const newCallNamed = (number: number, architecture: Architecture['name']): string | undefined =>
  Object.keys(numbers).find((name) => numbers[name]?.[architecture] === number)

export const newCallNames: readonly string[] = Object.keys(numbers)
