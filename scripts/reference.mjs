// Writes the parts of README.md that are made: the config reference from the schema, the isolation tables from the adapters.
// A test fails when somebody forgot to.
import { readFileSync, writeFileSync } from 'node:fs'
import { levelsStart, levelsTable, promisesStart, promisesTable } from '../dist/check/isolationTable.js'
import { configReference, replaceReference } from '../dist/config/reference.js'
import { builtinAdapters } from '../dist/isolation/registry.js'

const file = new URL('../README.md', import.meta.url)
const withReference = replaceReference(readFileSync(file, 'utf8'), configReference())
const withLevels = replaceReference(withReference, levelsTable(builtinAdapters), levelsStart)
writeFileSync(file, replaceReference(withLevels, promisesTable(builtinAdapters), promisesStart))
