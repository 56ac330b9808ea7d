// The one way to end all processes of a uid at a stroke: kill(-1), which the kernel carries out with its list of processes
// locked, and a fork that it meets half done fails (kernel/signal.c, copy_process in kernel/fork.c). Whoever reads /proc
// instead never sees a process that lives only until it has started the next.
// It asks for the right to signal that uid and no other, so this thread takes that uid and gives up root for the one call.
import { checked, library, SystemError } from './call.ts'

// By number: the C library's own setresuid would change every thread of the process (nptl(7)).
const setresuid = library.func('long syscall(long number, uint32_t real, uint32_t effective, uint32_t saved)')
const kill = library.func('int kill(int pid, int signal)')
const prctl = library.func('int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)')

const setresuidNumber = process.arch === 'arm64' ? 147 : 117

/**
 * The real uid meanwhile: kill(2) lets one signal whoever has one's real or effective uid, and be signalled by whoever has one's
 * real or saved one. So it is neither root's, whose processes would be killed too, nor the tenant's, who could kill this one.
 * The last there is; no account has it, and systemd leaves it alone too (UIDS-GIDS.md).
 */
export const nobodysUid = 0xffff_fffe

const setUids = (real: number, effective: number, saved: number): void => {
  checked('setresuid', Number(setresuid(setresuidNumber, real, effective, saved)))
}

/** Whether a change of uid takes no capability away (SECBIT_NO_SETUID_FIXUP, capabilities(7)): the call would then hit everybody. */
const keepsCapabilities = (): boolean => {
  const getSecureBits = 27
  return (checked('prctl', prctl(getSecureBits, 0, 0, 0, 0)) & 4) !== 0
}

/**
 * Kills every process of a uid but 0, and of no other. To be called as root, at the killer's turn (killersTurn.ts), and where nobody has
 * `nobodysUid`: whoever has it is killed too. Throws
 * SystemError EINVAL, with nothing done, where this machine has no such uid (a user namespace without it) and where the launcher
 * was started so that it would stay able to signal anybody.
 */
export const killUid = (uid: number): void => {
  const isTenants = Number.isInteger(uid) && uid > 0 && uid < nobodysUid
  if (!isTenants || keepsCapabilities()) throw new SystemError('kill', 22)
  setUids(nobodysUid, uid, 0)
  try {
    // Its answer tells nothing: 0 is also what it says when it met only processes that it may not signal.
    kill(-1, 9)
  } finally {
    backToRoot()
  }
}

/** A launcher that went on as a tenant would take every refusal of the kernel for a fault of somebody else. */
const backToRoot = (): void => {
  try {
    setUids(0, 0, 0)
  } catch {
    process.abort()
  }
}
