// What is asked of the machine before a cgroup is made. One value, so that a test can put another machine in its place.
import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'

export interface CgroupMachine {
  /** Text of /proc/self/mountinfo, /proc/self/cgroup and /proc/cgroups. */
  readonly mountinfo: string
  readonly selfCgroup: string
  readonly kernelControllers: string
  readonly isRoot: boolean
  /** Whether systemd runs the machine, and so writes its cgroups. */
  readonly isManaged: boolean
  canWrite(path: string): boolean
  /** Whether systemd leaves the cgroup of this unit to the processes in it. `isUser`: a unit of the user's own manager. */
  isDelegated(unit: string, isUser: boolean): boolean
}

const canWrite = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK) // fails for root too where the file system is mounted read-only
    return true
  } catch {
    return false
  }
}

const readIfThere = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')

const askSystemd = (unit: string, isUser: boolean): boolean => {
  const args = [...(isUser ? ['--user'] : []), 'show', '--property=Delegate', '--value', '--', unit]
  const env = { XDG_RUNTIME_DIR: `/run/user/${process.getuid?.() ?? 0}`, LC_ALL: 'C' }
  try {
    const answer = execFileSync('/usr/bin/systemctl', args, { env, timeout: 2_000, encoding: 'utf8', stdio: 'pipe' })
    return answer.trim() === 'yes'
  } catch {
    return false // no systemctl, or no manager that answers: nothing was delegated as far as anyone can tell
  }
}

/** Each unit is asked about once: the answer takes a process and some milliseconds. */
const askOnce = (): CgroupMachine['isDelegated'] => {
  const answers = new Map<string, boolean>()
  return (unit, isUser) => {
    const answer = answers.get(unit) ?? askSystemd(unit, isUser)
    answers.set(unit, answer)
    return answer
  }
}

export const thisMachine = (): CgroupMachine => ({
  mountinfo: readFileSync('/proc/self/mountinfo', 'utf8'),
  selfCgroup: readIfThere('/proc/self/cgroup'),
  kernelControllers: readIfThere('/proc/cgroups'),
  isRoot: process.getuid?.() === 0,
  isManaged: existsSync('/run/systemd/system'), // sd_booted(3)
  canWrite,
  isDelegated: askOnce(),
})
