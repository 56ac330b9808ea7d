// Opening what must not be written, without writing: if it opens, the harm could be done, and is not.
import { closeSync, constants, lstatSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Without O_NONBLOCK some devices and FIFOs would hold whoever opens them. */
export const overwrite = (path: string): void => closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK))

/** Files below these, breadth first; what may not be listed is passed over. `most` bounds how many are looked at. */
export function* filesBelow(roots: readonly string[], most = 3_000): Generator<string> {
  const waiting = [...roots]
  for (let seen = 0; waiting.length > 0 && seen < most; seen += 1) {
    const path = waiting.shift() ?? ''
    const names = namesIn(path)
    if (names === undefined) yield path
    else waiting.push(...names.map((name) => join(path, name)))
  }
}

/** Undefined for what is no directory. */
const namesIn = (path: string): readonly string[] | undefined => {
  try {
    return lstatSync(path).isDirectory() ? readdirSync(path) : undefined
  } catch {
    return [] // gone, or closed to it: there is nothing below that it could open
  }
}
