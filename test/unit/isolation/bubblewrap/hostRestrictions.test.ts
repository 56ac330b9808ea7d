import { describe, expect, test } from 'vitest'
import { hostRestrictions, restrictionFor } from '../../../../src/isolation/bubblewrap/hostRestrictions.ts'

/** What bubblewrap 0.8 to 0.12, or Node when it starts it, writes; and a word of the cause that is told. */
const messages: readonly (readonly [message: string, cause: string])[] = [
  ['bwrap: setting up uid map: Permission denied', 'AppArmor'],
  ['bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted', 'AppArmor'],
  [
    'bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user namespaces. See <https://deb.li/bubblewrap>.',
    'kernel.unprivileged_userns_clone',
  ],
  [
    "bwrap: No permissions to creating new namespace, likely because the kernel does not allow non-privileged user namespaces. On e.g. debian this can be enabled with 'sysctl kernel.unprivileged_userns_clone=1'.",
    'kernel.unprivileged_userns_clone',
  ],
  [
    'bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)',
    'user.max_user_namespaces is 0',
  ],
  [
    'bwrap: Creating new namespace failed, likely because the kernel does not support user namespaces.  bwrap must be installed setuid on such systems.',
    'CONFIG_USER_NS',
  ],
  ["bwrap: Can't mount proc on /newroot/proc: Operation not permitted", 'ProtectKernelTunables='],
  ["bwrap: Can't read /proc/sys/kernel/overflowuid: No such file or directory", 'ProcSubset=pid'],
  ['bwrap: cannot open /proc/sys/user/max_user_namespaces: Read-only file system', 'read-only here'],
  ['bwrap: Failed to make / slave: Permission denied', 'nothing may be mounted'],
  [
    'bwrap: Unable to set up system call filtering as requested: prctl(PR_SET_SECCOMP) reported EINVAL. (Hint: this requires a kernel configured with CONFIG_SECCOMP and CONFIG_SECCOMP_FILTER.)',
    'CONFIG_SECCOMP_FILTER',
  ],
  ['Command failed with EPERM: /usr/bin/bwrap --args 13 -- /usr/bin/true\nspawn EPERM', 'as the uid of a tenant'],
]

describe('what bubblewrap says where a machine does not let it work', () => {
  test.each(messages)('%j has a cause, and a fix', (message, cause) => {
    const { reason, fix } = restrictionFor(message)
    expect(reason).toContain(cause)
    expect(reason).toContain(message)
    expect(fix).not.toBe('')
  })

  test('every row is reached by some message, and no message is taken by two rows', () => {
    const taken = messages.map(([message]) => hostRestrictions.filter((row) => row.message.test(message)))
    expect(taken.filter((rows) => rows.length !== 1)).toEqual([])
    expect(new Set(taken.flat()).size).toBe(hostRestrictions.length)
  })

  test('no fix gives confinement up: none makes bubblewrap setuid, and none turns off what restricts others', () => {
    for (const { fix } of hostRestrictions) expect(fix).not.toMatch(/setuid|chmod|u\+s|apparmor_restrict|--privileged/)
  })

  test('of what no row knows, the words themselves are told', () => {
    expect(restrictionFor('bwrap: something new').reason).toBe('bubblewrap fails: bwrap: something new')
  })
})
