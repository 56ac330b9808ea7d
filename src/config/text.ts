// Reads a config file as text, never more of it than a config can have. Everything that is wrong with it as a file is said here.
// A file that is no config at all (a device, a disk image, something compressed) must cost a sentence, not memory.
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { messageOf } from '../errors.ts'
import { ConfigError, type Problem, quote } from './problem.ts'

/** Bytes of the longest config file. Ten thousand instances fit many times over. */
export const longestFile = 1024 ** 2

/** The file's text. Throws a ConfigError 'unreadable_config'. */
export const readText = async (file: string): Promise<string> => decodeText(file, await readBytes(file))

const readBytes = async (file: string): Promise<Uint8Array> => {
  // O_NONBLOCK: opening a named pipe would otherwise wait for a writer for ever.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw unreadable(file, ...whyUnopened(file, error))
  })
  try {
    const status = await handle.stat()
    if (status.isDirectory()) throw unreadable(file, `${quote(file)} is a directory`, 'name the file: --config <file>')
    if (!status.isFile())
      throw unreadable(file, `${quote(file)} is not a regular file`, 'name a regular file: --config <file>')
    return await readBounded(file, handle)
  } finally {
    await handle.close()
  }
}

// Not by the size stat tells: the file may grow, and files of /proc have none.
const readBounded = async (file: string, handle: FileHandle): Promise<Uint8Array> => {
  const bytes = new Uint8Array(longestFile + 1)
  let length = 0
  while (length < bytes.length) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, null)
    if (bytesRead === 0) return bytes.subarray(0, length)
    length += bytesRead
  }
  throw unreadable(
    file,
    `${quote(file)} is longer than 1 MiB, which is no config file`,
    'name the right file, or split it up',
  )
}

/** The text of a file's bytes. Throws a ConfigError 'unreadable_config' for what is not text. */
export const decodeText = (file: string, bytes: Uint8Array): string => {
  const text = decode(bytes)
  if (text === undefined) {
    throw unreadable(file, `${quote(file)} is not UTF-8: ${placeOfBadByte(bytes)}`, 'save it as UTF-8')
  }
  if (text.includes('\0'))
    throw unreadable(file, `${quote(file)} holds NUL bytes: it is no text file`, 'name the right file')
  if (text.trim() === '') throw unreadable(file, `${quote(file)} is empty`, 'describe a service in it: [service.web]')
  return text
}

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The line of the first byte that is not UTF-8. A line break is never part of a longer character, so lines can be tried one by one. */
const placeOfBadByte = (bytes: Uint8Array): string => {
  let start = 0
  for (let line = 1; start <= bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, start)
    const stop = end < 0 ? bytes.length : end
    if (decode(bytes.subarray(start, stop)) === undefined)
      return `line ${line} holds a byte that is none of a character's`
    start = stop + 1
  }
  return 'it ends within a character'
}

const unopened: Readonly<Record<string, readonly [string, string]>> = {
  ENOENT: ['does not exist', 'write one, or name another: --config <file>'],
  ENOTDIR: ['does not exist: a part of its path is no directory', 'name another: --config <file>'],
  EACCES: ['may not be read by this user', 'let this user read it: chmod o+r, and o+x on the folders above it'],
  ELOOP: ['is a symbolic link that leads to itself', 'remove the link'],
}

const whyUnopened = (file: string, error: unknown): [string, string] => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const [reason, fix] = unopened[code] ?? [`cannot be opened (${messageOf(error)})`, 'name another: --config <file>']
  return [`${quote(file)} ${reason}`, fix]
}

const unreadable = (file: string, message: string, fix: string): ConfigError => {
  const problem: Problem = { file, key: '', code: 'unreadable_config', message, fix }
  return new ConfigError([problem])
}
