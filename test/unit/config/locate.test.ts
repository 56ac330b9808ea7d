import fc from 'fast-check'
import { parse, stringify } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { deepest, locatorOf } from '../../../src/config/locate.ts'
import type { KeyPath } from '../../../src/config/problem.ts'

const confusing = `# [service.fake]
title = "[a]\\"\\nb = 1" # x = "
text = """
[service.text]
key = 1 \\""" "quoted"""""
raw = '''
[service.raw]
''''
"quo.ted" . 'k=y' = 1
list = [ # ]
  "]", '#', """
  ,]""",
  [1, 2], { a = 1, b.c = [3] },
]
inline = { x = { y = "}" }, "z" = 2 }
when = 1979-05-27T07:32:00Z

[service.web.env]
A = 1
[ service . "api" ]
command = 'x'
env.B = 2
  env.C = 3
[service.web]
command = "y"
[[many]]
name = "first"
[[many]]
name = "second"
[many.sub]
k = 1
[[many.inner]]
z = 1
`

const placeOf = (text: string, path: KeyPath): string | undefined => {
  const position = locatorOf(text)(path)
  return position && `${position.line}:${position.column}`
}

describe('the place of a key', () => {
  it.each<[KeyPath, string]>([
    [['title'], '2:1'],
    [['text'], '3:1'],
    [['raw'], '6:1'],
    [['quo.ted', 'k=y'], '9:13'],
    [['list'], '10:1'],
    [['list', 0], '11:3'],
    [['list', 2], '11:13'],
    [['list', 3, 1], '13:7'],
    [['list', 4, 'b', 'c', 0], '13:27'],
    [['inline', 'x', 'y'], '15:18'],
    [['inline', 'z'], '15:29'],
    [['service', 'web', 'env', 'A'], '19:1'],
    [['service', 'api'], '20:13'],
    [['service', 'api', 'env', 'C'], '23:7'],
    [['service', 'web'], '24:10'],
    [['many', 0, 'name'], '27:1'],
    [['many', 1, 'name'], '29:1'],
    [['many', 1, 'sub', 'k'], '31:1'],
    [['many', 1, 'inner', 0, 'z'], '33:1'],
  ])('%j is at %s', (path, place) => {
    expect(() => parse(confusing)).not.toThrow()
    expect(placeOf(confusing, path)).toBe(place)
  })

  it('is that of the nearest table when the key itself is not written', () => {
    expect(placeOf(confusing, ['service', 'api', 'isolation'])).toBe('20:13')
  })

  it('is unknown when nothing of it is written', () => {
    expect(placeOf(confusing, ['nothing'])).toBeUndefined()
    expect(placeOf(confusing, ['service', 'fake'])).toBe(placeOf(confusing, ['service']))
    expect(placeOf(confusing, [])).toBeUndefined()
  })

  it('of what lies deeper than any config is that of what is around it', () => {
    const text = `a = 1\nb = ${'[{ c = '.repeat(9)}false${' }]'.repeat(9)}`
    const path = ['b', ...Array.from({ length: 9 }, () => [0, 'c']).flat()]
    expect(placeOf(text, path.slice(0, 13))).toBe(`2:${5 + 5 * 7 + 3}`)
    expect(placeOf(text, path)).toBe(placeOf(text, path.slice(0, 17)))
  })

  it('is right with Windows line endings and characters beyond one unit', () => {
    expect(placeOf('# 🏠\r\na = "🏠"\r\n[b]\r\nc = 1', ['b', 'c'])).toBe('4:1')
  })

  it('of a key a hundred thousand parts long costs no more than the text is long', () => {
    const text = `${'a.'.repeat(100_000)}a = 1\nb = ${'['.repeat(500)}${']'.repeat(500)}\nc = 1`
    expect(placeOf(text, ['c'])).toBe('3:1')
  })
})

const key = fc
  .oneof(fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/), fc.string({ maxLength: 6 }))
  .filter((name) => name !== '__proto__')
const scalar = fc.oneof(
  fc.string(),
  fc.constantFrom('"""', "'''", '\\', '[a]', 'a = 1', '# x', '{', ']'),
  fc.integer(),
  fc.boolean(),
)
const { document } = fc.letrec<{ document: Record<string, unknown>; value: unknown }>((tie) => ({
  document: fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(scalar, { maxLength: 4 }),
    tie('document'),
    fc.array(tie('document'), { minLength: 1, maxLength: 3 }),
  ),
}))

const pathsIn = (value: unknown, path: KeyPath = []): KeyPath[] => {
  const inner = Array.isArray(value)
    ? [...value.entries()]
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
      : []
  return [...(path.length > 0 ? [path] : []), ...inner.flatMap(([part, one]) => pathsIn(one, [...path, part]))]
}

/** The file's own spelling of a value on one line: tables inline, keys quoted. */
const inline = (value: unknown): string => {
  if (Array.isArray(value)) return `[ ${value.map(inline).join(' , ')} ]`
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? quoted(value) : String(value)
  return `{ ${Object.entries(value)
    .map(([name, one]) => `${quoted(name)} = ${inline(one)}`)
    .join(', ')} }`
}

const quoted = (text: string): string => JSON.stringify(text).replaceAll('\x7f', '\\u007f')

/** What stands at the place of a path is the last key of it, however it is spelled, or for an element its value. Too deep, it is any around it. */
const expectAt = (text: string, path: KeyPath, document: unknown): void => {
  const position = locatorOf(text)(path)
  expect(position).toBeDefined()
  if (path.length > deepest) return
  const rest = (text.split('\n')[(position?.line ?? 0) - 1] ?? '').slice((position?.column ?? 1) - 1)
  const last = path.at(-1)
  if (typeof last === 'number') {
    const element = path.reduce<unknown>((value, part) => Object(value)[part], document)
    if (typeof element === 'number' || typeof element === 'boolean') expect(rest.startsWith(String(element))).toBe(true)
    return
  }
  const spelled = /^("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)/.exec(rest)?.[0] ?? ''
  expect(Object.keys(parse(`${spelled} = 1`))).toEqual([last])
}

describe('every key of any document is found where it is written', () => {
  it('with tables as headers', () => {
    fc.assert(
      fc.property(document, (written) => {
        const text = stringify(written)
        for (const path of pathsIn(parse(text))) expectAt(text, path, written)
      }),
    )
  })

  it('with everything inline', () => {
    fc.assert(
      fc.property(document, (written) => {
        const text = Object.entries(written)
          .map(([name, value]) => ` ${quoted(name)}=${inline(value)} # ]}"`)
          .join('\n')
        for (const path of pathsIn(parse(text))) expectAt(text, path, written)
      }),
    )
  })
})
