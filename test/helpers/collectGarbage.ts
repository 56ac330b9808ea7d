import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Has the garbage collector take whatever nothing holds, as it may at any time. */
export const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new Error('this Node gives no way to its garbage collector')
  collect()
}
