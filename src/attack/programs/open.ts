// Opening what must not be written, without writing: if it opens, the harm could be done, and is not.
import { closeSync, constants, openSync } from 'node:fs'

/** Without O_NONBLOCK some devices and FIFOs would hold whoever opens them. */
export const overwrite = (path: string): void => closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK))
