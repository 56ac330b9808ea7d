// 'service:id' as somebody wrote it, on a command line, in a path or in a body → a name within the grammar, or why not.
import { TenementError } from '../errors.ts'
import { type InstanceName, parseInstance } from '../names.ts'

/** Throws a TenementError 'invalid_name' when what is written names no instance. */
export const instanceNamed = (written: string): InstanceName => {
  const name = parseInstance(written)
  if (name) return name
  throw new TenementError('invalid_name', `${JSON.stringify(written)} names no instance`, {
    fix: 'write service and id as in "api:carol", each of a-z, 0-9 and "-", at most 63 and no "-" at either end',
  })
}
