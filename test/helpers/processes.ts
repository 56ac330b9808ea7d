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
