import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { flags, optionIssues, readOptions } from '../../../src/isolation/options.ts'

describe('options of an isolation', () => {
  const nested = flags({ nested: false, quiet: true })

  test('that are flags are filled in where nothing is written', async () => {
    expect(await readOptions(nested, {})).toEqual({ nested: false, quiet: true })
    expect(await readOptions(nested, { nested: true })).toEqual({ nested: true, quiet: true })
  })

  test('are refused where they are unknown or no flag, each at its key', async () => {
    expect(await optionIssues(nested, { nestde: true, quiet: 1 })).toEqual([
      { message: 'is no option', path: ['nestde'], expected: ['nested', 'quiet'] },
      { message: 'must be true or false', path: ['quiet'] },
    ])
    await expect(readOptions(nested, { quiet: 1 })).rejects.toThrow('quiet must be true or false')
  })

  test('are refused altogether where the isolation has none', async () => {
    expect(await readOptions(undefined, {})).toEqual({})
    expect(await optionIssues(undefined, { nested: true })).toMatchObject([{ path: ['nested'] }])
    await expect(readOptions(undefined, { nested: true })).rejects.toThrow('nested is no option')
  })

  test('may be described by a schema of another library', async () => {
    const schema = z.strictObject({ image: z.string(), ports: z.array(z.number()).default([]) })
    expect(await readOptions(schema, { image: 'a' })).toEqual({ image: 'a', ports: [] })
    expect(await optionIssues(schema, { image: 'a', ports: ['x'] })).toMatchObject([{ path: ['ports', 0] }])
  })
})
