import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildHostTable, match } from '../../../src/router/host.ts'

const known = new Set(['notes:alice', 'notes:main', 'api:acme', 'shop:eu'])
const table = buildHostTable({
  domains: ['example.com', 'eu.example.com', 'Example.ORG.'],
  hosts: { 'shop.acme.com': 'api:acme', '203.0.113.7': 'api:acme', 'old.example.com': 'api:forgotten' },
  isKnown: (service, id) => known.has(`${service}:${id}`),
})

test.each([
  ['alice.notes.example.com', 'notes:alice'],
  ['alice.notes.example.com:8080', 'notes:alice'],
  ['alice.notes.example.com:', 'notes:alice'],
  ['alice.notes.example.com.', 'notes:alice'],
  ['alice.notes.example.com.:80', 'notes:alice'],
  ['ALICE.Notes.EXAMPLE.com', 'notes:alice'],
  ['alice.notes.example.org', 'notes:alice'],
  ['notes.example.com', 'notes:main'],
  ['shop.acme.com', 'api:acme'],
  ['SHOP.acme.com.:443', 'api:acme'],
  ['203.0.113.7:8080', 'api:acme'],
])('%s is %s', (host, instance) => {
  expect(match(table, host)).toBe(instance)
})

test.each([
  ['example.com'],
  ['eu.example.com'],
  ['api.example.com'],
  ['carol.notes.example.com'],
  ['alice.unknown.example.com'],
  ['x.alice.notes.example.com'],
  ['alice.notes.example.com..'],
  ['.notes.example.com'],
  ['alice..example.com'],
  ['alicenotes.example.com.evil.net'],
  ['evilexample.com'],
  ['old.example.com'],
  ['-alice.notes.example.com'],
  ['al_ice.notes.example.com'],
  ['[::1]:8080'],
  ['[::1]'],
  ['127.0.0.1'],
  ['localhost'],
])('%s names nothing', (host) => {
  expect(match(table, host)).toBeUndefined()
})

test.each([
  [''],
  ['.'],
  [':80'],
  ['a b'],
  ['alice.notes.example.com/'],
  ['alice@notes.example.com'],
  ['alice.notes.example.com:80:80'],
  ['alice.notes.example.com:http'],
  ['alice.notes.example.com:123456'],
  ['[::1'],
  ['::1'],
  ['[]'],
  ['[example]'],
  ['[::1]x'],
  ['a,b'],
  ['caf\xe9.example.com'],
  ['a\0.example.com'],
  [`${'a.'.repeat(150)}example.com`],
])('%j is no host', (host) => {
  expect(match(table, host)).toBe('bad')
})

test('the longest domain decides alone', () => {
  // Below example.com this would be notes:main's neighbour 'eu' of service 'shop'; below eu.example.com it is shop:main.
  expect(match(table, 'shop.eu.example.com')).toBeUndefined()
  expect(match(table, 'eu.shop.example.com')).toBe('shop:eu')
})

test('an open service is asked about every well-formed id and about no other', () => {
  const asked: string[] = []
  const open = buildHostTable({
    domains: ['example.com'],
    hosts: {},
    isKnown: (service, id) => asked.push(`${service}:${id}`) > 0,
  })
  expect(match(open, 'anybody-9.notes.example.com')).toBe('notes:anybody-9')
  for (const host of [
    'a_b.notes.example.com',
    '-a.notes.example.com',
    `${'a'.repeat(64)}.notes.example.com`,
    '..example.com',
  ]) {
    expect(match(open, host)).toBeUndefined()
  }
  expect(asked).toEqual(['notes:anybody-9'])
})

test('an instance added later is found at once', () => {
  const names = new Set<string>()
  const growing = buildHostTable({
    domains: ['example.com'],
    hosts: {},
    isKnown: (service, id) => names.has(`${service}:${id}`),
  })
  expect(match(growing, 'new.notes.example.com')).toBeUndefined()
  names.add('notes:new')
  expect(match(growing, 'new.notes.example.com')).toBe('notes:new')
})

test('whatever the host says, what is asked about is two well-formed names', () => {
  const label = fc.string({ unit: fc.constantFrom(...'aZ09-_./\\\0%:[]@ \xe9'), maxLength: 8 })
  const open = buildHostTable({
    domains: ['example.com'],
    hosts: {},
    isKnown: (service, id) => {
      expect(`${service}:${id}`).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?:[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
      return true
    },
  })
  fc.assert(
    fc.property(fc.array(label, { maxLength: 4 }), (labels) => void match(open, `${labels.join('.')}.example.com`)),
  )
})

test('a host that stands for something that is no instance is an error that names it', () => {
  const build = () => buildHostTable({ domains: [], hosts: { 'a.com': 'api/acme' }, isKnown: () => true })
  expect(build).toThrow('hosts."a.com" = "api/acme" is not an instance')
})
