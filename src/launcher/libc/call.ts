// What every C library call needs: the library itself, and how a failed call is told. Knows no call.
import { getSystemErrorMap } from 'node:util'
import koffi from 'koffi'

export const library = koffi.load('libc.so.6')

export const errno = (): number => koffi.errno()

/** A failed call, as Node reports its own: `code` is the errno's name. */
export class SystemError extends Error {
  override readonly name = 'SystemError'
  readonly code: string
  readonly syscall: string

  constructor(syscall: string, number: number) {
    const [code, meaning] = getSystemErrorMap().get(-number) ?? [`errno ${number}`, 'unknown error']
    super(`${code}: ${meaning}, ${syscall}`)
    this.code = code
    this.syscall = syscall
  }
}

export const checked = (syscall: string, result: number): number => {
  if (result < 0) throw new SystemError(syscall, errno())
  return result
}

export const closeOnExec = 0o2000000
