import { expect, test } from 'vitest'
import { makeFilterCache } from '../../../src/seccomp/cache.ts'
import { compileProfile } from '../../../src/seccomp/compileProfile.ts'
import { shippedText } from './shipped.ts'

test('one text is compiled once for each architecture, whatever its file is called', () => {
  const asked: string[] = []
  const compile = makeFilterCache((text, { arch }) => {
    asked.push(`${text} ${arch}`)
    return new Uint8Array(8)
  })
  const filters = ['a.json', 'b.json'].map((file) => compile('one', { file, arch: 'x86_64' }))
  compile('one', { file: 'a.json', arch: 'aarch64' })
  compile('two', { file: 'a.json', arch: 'x86_64' })
  expect(filters[0]).toBe(filters[1])
  expect(asked).toEqual(['one x86_64', 'one aarch64', 'two x86_64'])
})

test('a text that could not be compiled is tried again', () => {
  let fails = true
  const compile = makeFilterCache(() => {
    if (fails) throw new Error('no libseccomp')
    return new Uint8Array(8)
  })
  expect(() => compile('one', { file: 'a.json' })).toThrow('no libseccomp')
  fails = false
  expect(compile('one', { file: 'a.json' }).length).toBe(8)
})

test('the filter that was not asked for longest goes when there are too many', () => {
  let compiled = 0
  const compile = makeFilterCache(() => {
    compiled += 1
    return new Uint8Array(8)
  })
  for (let at = 0; at < 64; at += 1) compile(`text ${at}`, { file: 'a.json' })
  compile('text 0', { file: 'a.json' })
  compile('one more', { file: 'a.json' })
  compile('text 0', { file: 'a.json' })
  expect(compiled).toBe(65)
  compile('text 1', { file: 'a.json' })
  expect(compiled).toBe(66)
})

test('the same profile gives the same bytes every time', () => {
  const [a, b] = [0, 1].map(() => Buffer.from(compileProfile(shippedText('strict'), { file: 'strict.json' })))
  expect(a?.equals(b ?? Buffer.alloc(0))).toBe(true)
})
