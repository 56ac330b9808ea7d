// Which program a folder holds: each detector is asked, what is surer first. A framework's own file decides before a file
// with a usual name does: a Django program may have a package.json for its styles.
import { findGo, findRust } from './compiled.ts'
import type { Folder } from './folder.ts'
import type { Found } from './found.ts'
import { findNode } from './node.ts'
import { findPhp } from './php.ts'
import { findDjangoProgram, findPython } from './python.ts'
import { findRails, findRuby } from './ruby.ts'

const detectors = [findDjangoProgram, findRails, findGo, findRust, findNode, findPython, findRuby, findPhp]

/** All that was found, the surest first, each language once. */
export const findPrograms = async (folder: Folder): Promise<readonly Found[]> => {
  const all: Found[] = []
  for (const detect of detectors) {
    const found = await detect(folder)
    if (found !== undefined && !all.some(({ language }) => language === found.language)) all.push(found)
  }
  return all
}
