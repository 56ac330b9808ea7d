// Looking at processes from outside, as the machine sees them.
import { readdirSync, readFileSync } from 'node:fs'

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

/** Whether a process exists and is more than an entry that nobody has read yet. */
export const isAlive = (pid: number): boolean => {
  const state = read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.[0]
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** Living processes whose command line holds `text`; arguments are separated by NUL. */
export const withCommandLine = (text: string): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isAlive(pid) && (read(`/proc/${pid}/cmdline`) ?? '').includes(text))

/** Resident memory of a process in MB. */
export const residentMegabytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1] ?? Number.NaN) / 1024

/** Environment variable of a process, as it was at its start. */
export const environmentOf = (pid: number): string[] => (read(`/proc/${pid}/environ`) ?? '').split('\0').filter(Boolean)

/** The first child of a process; 0 where it has none. */
export const firstChildOf = (pid: number): number => Number(read(`/proc/${pid}/task/${pid}/children`)?.split(' ')[0])

/** Living processes that run as a uid. */
export const withUid = (uid: number | undefined): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isAlive(pid) && read(`/proc/${pid}/status`)?.includes(`\nUid:\t${uid}\t`))

/** The command line of a process, its arguments separated by NUL; empty when it is gone. */
export const commandLineOf = (pid: number): string => read(`/proc/${pid}/cmdline`) ?? ''

/** The cgroups of a process, one in each line as /proc/PID/cgroup has them. */
export const cgroupsOf = (pid: number): string[] => (read(`/proc/${pid}/cgroup`) ?? '').split('\n')

/** All that a process has written so far, to files and sockets (proc(5), /proc/PID/io). */
export const megabytesWritten = (pid: number): number =>
  Number(/^wchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]) / 1024 ** 2
