// Which tenement this is: the version of the package these files are in.
import { readFileSync } from 'node:fs'
import { isRecord } from './control/decode.ts'

/** As in package.json: '0.1.0'. */
export const packageVersion = (): string => {
  const found: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  if (isRecord(found) && typeof found.version === 'string') return found.version
  throw new Error('the package.json of tenement names no version')
}
