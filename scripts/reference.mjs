// Writes the config reference into README.md, from the schema. A test fails when somebody forgot to.
import { readFileSync, writeFileSync } from 'node:fs'
import { configReference, replaceReference } from '../dist/config/reference.js'

const readme = new URL('../README.md', import.meta.url)
writeFileSync(readme, replaceReference(readFileSync(readme, 'utf8'), configReference()))
