import { describe, expect, test } from 'vitest'
import type { LaunchPlan } from '../../../../src/isolation/adapter.ts'
import { placesOf } from '../../../../src/isolation/bubblewrap/places.ts'
import { plan } from './plans.ts'

const grant = (path: string) => ({ path, source: path })
const placesWith = (over: Partial<LaunchPlan>): readonly string[] =>
  placesOf({ ...plan, read: [], write: [], ...over }).map(({ at }) => at)

describe('the places an instance is given', () => {
  test('come in the order in which none covers another, with the data last', () => {
    const read = [grant('/srv/notes/themes'), grant('/srv'), grant('/etc/notes')]
    expect(placesWith({ read, write: [grant('/srv/outbox')] })).toEqual([
      ...['/etc/notes', '/srv', '/srv/notes', '/srv/notes/themes', '/srv/outbox', '/data/alice'],
    ])
  })

  test('are bound from where the launcher shows them', () => {
    const write = [{ path: '/srv/outbox', source: '/run/tenement/grants/1' }]
    expect(placesOf({ ...plan, write })).toContainEqual({
      kind: 'bind',
      source: '/run/tenement/grants/1',
      at: '/srv/outbox',
      isWritable: true,
    })
  })

  test('may name the folder of the code once more', () => {
    expect(placesWith({ read: [grant('/srv/notes'), grant('/srv/notes')] })).toEqual(['/srv/notes', '/data/alice'])
  })

  test.each<[string, Partial<LaunchPlan>]>([
    ['the code below what a tenant writes', { write: [grant('/srv')] }],
    ['a grant below what a tenant writes', { write: [grant('/srv/w')], read: [grant('/srv/w/below')] }],
    ['the data below what a tenant writes', { write: [grant('/data')] }],
    ['the code below the data', { cwd: '/data/alice/code' }],
    ['one path both read and written', { read: [grant('/srv/w')], write: [grant('/srv/w')] }],
    ['the data where the code is', { dataDir: '/srv/notes' }],
    ['the data around the code', { dataDir: '/srv' }],
  ])('are refused with %s, so that no mount follows a link a tenant made', (_, over) => {
    expect(() => placesWith(over)).toThrow('nothing may lie inside what a tenant writes')
  })

  test.each([
    '/',
    '/usr',
    '/etc',
    '/var',
    '/tmp',
    '/run',
    '/run/secrets/key',
    '/proc/1',
    '/dev/shm/x',
    '/sys',
    '/bin/x',
    '/var/tmp/x',
  ])('are refused at %s, which an instance has of its own', (path) => {
    expect(() => placesWith({ read: [grant(path)] })).toThrow('of its own')
    expect(() => placesWith({ cwd: path })).toThrow('of its own')
    expect(() => placesWith({ dataDir: path })).toThrow('of its own')
  })

  test.each(['/usr/local/app', '/etc/app', '/tmp/app', '/run/app', '/var/lib/app', '/home/app', '/users'])(
    'may be at %s',
    (path) => {
      expect(placesWith({ read: [grant(path)] })).toContain(path)
    },
  )
})
