import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { levelsStart, levelsTable, promisesStart, promisesTable } from '../../../src/check/isolationTable.ts'
import { replaceReference } from '../../../src/config/reference.ts'
import { type Adapters, builtinAdapters } from '../../../src/isolation/registry.ts'
import { adapterWith } from './fixtures.ts'

describe('the isolation tables', () => {
  const jail = adapterWith('jail', ['net.private', 'res.memory', 'pid.private', 'fs.privateRoot'])
  const adapters: Adapters = new Map([
    ['open', adapterWith('open', [])],
    ['jail', { ...jail, capabilities: { ...jail.capabilities, 'disk.quota': 'best-effort' } }],
    ['tight', { ...jail, name: 'tight', defaults: { network: 'private', limits: { memoryBytes: 1 } } }],
  ])
  const row = (table: string, text: string) => table.split('\n').find((line) => line.startsWith(`| ${text}`))

  it('say which promise an isolation makes always, which where it is asked for, and which not', () => {
    const table = promisesTable(adapters)
    expect(table).toMatch(/^\| a tenant \| `open` \| `jail` \| `tight` \|\n\|---\|---\|---\|---\|\n/)
    expect(row(table, '`net.private`')).toMatch(/ \| no \| with `network = "private"` \| yes \|$/)
    expect(row(table, '`res.memory`')).toMatch(/ \| no \| with `memory_max` \| yes \|$/)
    expect(row(table, '`disk.quota`')).toMatch(/ \| no \| best effort, with `storage_max` \| no \|$/)
    expect(row(table, '`pid.private`')).toMatch(/ \| no \| yes \| yes \|$/)
  })

  it('call a level of several promises as good as the least of them', () => {
    // fs.privateRoot without fs.readOnlyRoot
    expect(row(levelsTable(adapters), 'finds only the files')).toMatch(/ \| no \| no \| no \|$/)
  })

  it('in the README are the ones the adapters make; npm run reference writes them', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
    expect(replaceReference(readme, levelsTable(builtinAdapters), levelsStart)).toBe(readme)
    expect(replaceReference(readme, promisesTable(builtinAdapters), promisesStart)).toBe(readme)
  })
})
