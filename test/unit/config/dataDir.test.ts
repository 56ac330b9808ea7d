import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dataDirFor, dataRootFor, findDataDirClash, isWithin } from '../../../src/config/dataDir.ts'
import { readConfig } from '../../../src/config/load.ts'

const settings = { dataDir: '/data' }
const notes = (data: string) => ({ name: 'notes', data })

describe('a data directory', () => {
  it.each([
    ['{data_dir}/{id}', '/data/acme', '/data'],
    ['{data_dir}/{name}/{id}', '/data/notes/acme', '/data/notes'],
    ['{data_dir}/{name}-{id}/db/', '/data/notes-acme/db', '/data'],
    ['/srv//./{id}', '/srv/acme', '/srv'],
    ['/srv/static', '/srv/static', '/srv'],
    ['/srv/{{id}}/{id}', '/srv/{id}/acme', '/srv/{id}'],
    ['/{id}', '/acme', '/'],
  ])('%s is %s, below %s', (data, directory, root) => {
    expect(dataDirFor(notes(data), settings, 'acme')).toBe(directory)
    expect(dataRootFor(notes(data), settings)).toBe(root)
  })

  it('takes braces in data_dir as they are', () => {
    expect(dataDirFor(notes('{data_dir}/{id}'), { dataDir: '/{id}' }, 'acme')).toBe('/{id}/acme')
    expect(dataRootFor(notes('{data_dir}/{id}'), { dataDir: '/{id}' })).toBe('/{id}')
  })
})

it.each([
  ['/a/b', '/a', true],
  ['/a', '/a', true],
  ['/ab', '/a', false],
  ['/a', '/a/b', false],
  ['/a/..b', '/a', true],
  ['/x', '/', true],
])('%s lies within %s: %s', (inner, outer, answer) => expect(isWithin(inner, outer)).toBe(answer))

const surroundings = { env: {}, cwd: '/', home: '/home/ada', isRoot: false, processors: 1 }
const configOf = (text: string) => readConfig({ file: '/srv/tenement.toml', text }, surroundings)

interface Written {
  readonly data: string
  readonly open: boolean
  readonly ids: readonly string[]
}

const configWith = (services: readonly Written[]) =>
  configOf(
    `${services
      .map(
        ({ data, open }, index) =>
          `[service.s${index}]\ncommand = "x"\nisolation = "none"\nopen = ${open}\ndata = ${JSON.stringify(data)}\n`,
      )
      .join('')}[instances]\n${services.map(({ ids }, index) => `s${index} = ${JSON.stringify(ids)}\n`).join('')}`,
  )

describe('no two instances share data', () => {
  const ids = ['a', 'b', 's0', 's1', 'x']
  const part = fc.constantFrom('{id}', '{name}', 'a', 'b', 'x-{id}', '{id}{name}', 's1')
  const service = fc.record({
    data: fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `/d/${parts.join('/')}`),
    open: fc.boolean(),
    ids: fc.uniqueArray(fc.constantFrom(...ids), { maxLength: 3 }),
  })

  it('when the config is accepted: not the declared ones, and of an open service not any', () => {
    fc.assert(
      fc.property(fc.array(service, { minLength: 2, maxLength: 3 }), (services) => {
        const { config, problems } = configWith(services)
        fc.pre(problems.length === 0)
        const all = services.flatMap(({ open, ids: declared }, index) =>
          (open ? ids : declared).map((id) => ({ service: `s${index}`, id })),
        )
        for (const name of all) expect(findDataDirClash(config, all, name)).toBeUndefined()
      }),
      { numRuns: 1_000 },
    )
  }, 90_000)

  it('when services lead the same id to the same place, declared or not', () => {
    const { problems } = configWith([
      { data: '/d/{id}', open: false, ids: ['a'] },
      { data: '/d/{id}', open: false, ids: ['b'] },
    ])
    expect(problems.map(({ key }) => key)).toEqual(['service.s1.data'])
  })

  it('when one is added later', () => {
    const { config, problems } = configWith([
      { data: '/d/{id}', open: false, ids: ['a'] },
      { data: '/d/b/{id}', open: false, ids: ['c'] },
    ])
    expect(problems).toEqual([])
    expect(findDataDirClash(config, [{ service: 's1', id: 'c' }], { service: 's0', id: 'b' })).toEqual({
      service: 's1',
      id: 'c',
    })
    expect(findDataDirClash(config, [{ service: 's1', id: 'c' }], { service: 's0', id: 'd' })).toBeUndefined()
  })
})
