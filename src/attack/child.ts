// Attacks that may end the process that makes them, each in a process of its own: a jump to a page that is not there is SIGSEGV,
// which nobody survives.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Refused } from './attempt.ts'
import { runMachineCode } from './kernel.ts'

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Each returns when it got what it wanted. */
const children: Readonly<Record<string, () => void>> = {
  native: () => undefined,
  /** mov rax, 0xffffffffff600400; xor edi, edi; call rax; ret: time() of the page at a fixed address. */
  vsyscall: () => {
    const seconds = runMachineCode(hex('48c7c0000460ff 31ff ffd0 c3'))
    if (Math.abs(seconds - Date.now() / 1_000) < 5) throw new Refused('the same time')
  },
}

/** Throws Refused with the signal that ended it, or with what it said. */
export const inChild = (name: string): void => {
  const { status, signal, stderr } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), name], {
    encoding: 'utf8',
  })
  if (signal !== null) throw new Refused(signal)
  if (status !== 0) throw new Refused(stderr.trim().split('\n').at(-1) ?? `exit code ${status}`)
}

const [, file, name] = process.argv
if (file === fileURLToPath(import.meta.url) && name !== undefined) {
  try {
    children[name]?.()
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
