import { describe, expect, test } from 'vitest'
import { commands } from '../../../src/cli/commands.ts'
import { explanations } from '../../../src/cli/explanations.ts'

describe.each(explanations.map((each) => [`${each.code} (${each.kind})`, each] as const))(
  '%s',
  (_, { why, next, means }) => {
    test('says what it means, why, and at least one thing to do', () => {
      for (const text of [means, why, ...next]) expect(text).toMatch(/\S{3}/)
      expect(why).toMatch(/[.]$/)
      expect(next.length).toBeGreaterThan(0)
    })

    test('sends nobody to a command that there is not', () => {
      const names = commands.map(({ name }) => name)
      const told = [means, why, ...next].flatMap((text) => [...text.matchAll(/(?:^|")tenement ([a-z]+(?: [a-z]+)?)/g)])
      for (const [, words = ''] of told)
        expect(
          names.some((name) => words === name || words.startsWith(`${name} `) || words.split(' ')[0] === name),
          words,
        ).toBe(true)
    })
  },
)

test('a word means one thing of a kind', () => {
  const all = explanations.map(({ code, kind }) => `${code} ${kind.split(' ')[0]}`)
  expect(new Set(all).size).toBe(all.length)
})
