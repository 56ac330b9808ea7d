import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { configReference, replaceReference } from '../../../src/config/reference.ts'

it('the config reference in the README is the one the schema makes; npm run reference writes it', () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  expect(replaceReference(readme, configReference())).toBe(readme)
})
