// What bubblewrap says when a machine does not let it work → why, and the narrowest way out. Data: a new restriction is a new
// row. The text is bubblewrap's own (its die() messages), so a row matches as little of it as tells it apart.
// None of the fixes is a weaker confinement: a machine that cannot confine runs "none", by name, or nothing.

export interface Restriction {
  /** Found in what bubblewrap wrote to its standard error. */
  readonly message: RegExp
  readonly cause: string
  readonly fix: string
}

const userNamespaces = 'tenants may not make user namespaces'

export const hostRestrictions: readonly Restriction[] = [
  {
    message: /setting up uid map: Permission denied|loopback: Failed RTM_NEWADDR: Operation not permitted/,
    cause: `${userNamespaces} with any use: AppArmor keeps them from it (kernel.apparmor_restrict_unprivileged_userns, Ubuntu 23.10 and later)`,
    fix: 'load the profile bwrap-userns-restrict for /usr/bin/bwrap: apt-get install apparmor-profiles, then link /usr/share/apparmor/extra-profiles/bwrap-userns-restrict into /etc/apparmor.d and apparmor_parser -r it',
  },
  {
    message: /No permissions to creat\w* (a )?new namespace/,
    cause: `${userNamespaces}: the kernel keeps it for root (kernel.unprivileged_userns_clone = 0, Debian), or tenement runs in a container or a chroot that forbids it`,
    fix: 'sysctl kernel.unprivileged_userns_clone=1; in a container run it with a seccomp profile that allows unshare and clone, or on the machine itself',
  },
  {
    message: /max_\*_namespaces exceeded|No space left on device.*namespace/,
    cause:
      'no further user namespace may be made: user.max_user_namespaces is 0 (hardening guides for RHEL and its kin set it), or tenement runs in a sandbox that forbids them',
    fix: 'sysctl user.max_user_namespaces=10000, as a documented exception; in a sandbox run it on the machine itself',
  },
  {
    message: /kernel does not support user namespaces|Creating new namespace failed: Invalid argument/,
    cause: 'the kernel was built without user namespaces (CONFIG_USER_NS)',
    fix: 'boot the kernel of the distribution',
  },
  {
    message: /Can't mount proc on \S*: (Operation not permitted|Permission denied)/,
    cause:
      'parts of /proc are covered here, and the kernel then allows no new one in a user namespace: tenement runs in a container, or in a unit with ProtectKernelTunables=, ProtectKernelLogs= or ProtectProc=',
    fix: 'remove these from the unit; start the container with --security-opt systempaths=unconfined, or run tenement on the machine itself',
  },
  {
    message:
      /Can't (read|open) \/?proc\/sys\/kernel\/overflow[ug]id|cannot open \/?(proc\/)?sys\/(kernel|user)\/\S*: No such file/,
    cause: '/proc shows processes only (subset=pid): tenement runs in a unit with ProcSubset=pid',
    fix: 'remove ProcSubset= from the unit: systemctl edit tenement',
  },
  {
    message: /max_user_namespaces: (Read-only file system|Permission denied)/,
    cause:
      '/proc/sys is read-only here, so that no sandbox can be closed behind an instance: tenement runs in a container, or in a unit with ProtectKernelTunables=',
    fix: 'remove it from the unit; start the container with --security-opt systempaths=unconfined, or run tenement on the machine itself',
  },
  {
    message: /Failed to make \/ slave: (Permission denied|Operation not permitted)/,
    cause:
      "nothing may be mounted here, not even in a namespace of one's own: a container or a security module forbids it",
    fix: 'run tenement on the machine itself',
  },
  {
    message: /prctl\(PR_SET_SECCOMP\)|PR_SET_SECCOMP.*(EINVAL|Invalid argument)/,
    cause: 'the kernel takes no seccomp filter (CONFIG_SECCOMP_FILTER)',
    fix: 'boot the kernel of the distribution; where it has filters, this is a fault in tenement: report it',
  },
  {
    message: /spawn (\S+ )?(EPERM|EAGAIN|EINVAL)/,
    cause: 'programs cannot be started as the uid of a tenant here',
    fix: 'give tenement CAP_SETUID and CAP_SETGID, and room for processes: AmbientCapabilities= and TasksMax= of the unit',
  },
]

/** What to tell about a failure; one that no row knows is told as it is. */
export const restrictionFor = (message: string): { readonly reason: string; readonly fix: string } => {
  const known = hostRestrictions.find((restriction) => restriction.message.test(message))
  if (known !== undefined) return { reason: `${known.cause} ("${message}")`, fix: known.fix }
  return {
    reason: `bubblewrap fails: ${message}`,
    fix: 'run tenement on the machine itself, outside of any container or sandbox',
  }
}
