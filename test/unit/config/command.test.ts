import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { splitCommand } from '../../../src/config/command.ts'

const argvOf = (text: string): readonly string[] => {
  const split = splitCommand(text)
  if ('problem' in split) throw new Error(split.problem)
  return split.argv
}

describe('a command is split as a shell would', () => {
  it.each([
    ['python3 app.py', ['python3', 'app.py']],
    ['  a\t b  ', ['a', 'b']],
    [`a 'b c' "d e"`, ['a', 'b c', 'd e']],
    [`a'b'"c"d`, ['abcd']],
    [`a '' ""`, ['a', '', '']],
    [`a\\ b "\\"\\\\" '\\'`, ['a b', '"\\', '\\']],
    [`"a\\nb"`, ['a\\nb']],
    [`a '|' "&" \\; {id}`, ['a', '|', '&', ';', '{id}']],
  ])('%s', (text, argv) => expect(argvOf(text)).toEqual(argv))

  it('every text it accepts gives what a real shell makes of it', () => {
    const piece = fc.constantFrom(
      'a',
      'b1',
      ' ',
      '  ',
      "'x y'",
      '"x y"',
      "''",
      '"\\""',
      '\\ ',
      '\\a',
      "'\\'",
      '"\\z"',
      '-',
      '=',
      '/',
      '"\'"',
      '\\$',
      "'$x'",
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('')
        const shell = execFileSync('/bin/sh', ['-c', `for argument in ${text}; do printf '%s\\0' "$argument"; done`], {
          encoding: 'utf8',
        })
        expect(argvOf(text)).toEqual(shell.split('\0').slice(0, -1))
      }),
      { numRuns: 60 },
    )
  })
})

describe('what only a shell could do is refused, with the character named', () => {
  it.each([
    ['a | b', '"|"'],
    ['a > b', '">"'],
    ['a < b', '"<"'],
    ['a &', '"&"'],
    ['a; b', '";"'],
    ['a `b`', '"`"'],
    ['a $B', '"$"'],
    ['a "$B"', '"$"'],
    ['a "`b`"', '"`"'],
    ['(a)', '"("'],
    ['a\nb', '"\\n"'],
  ])('%s', (text, character) => {
    expect(splitCommand(text)).toEqual({
      problem: expect.stringContaining(`holds ${character}`),
      fix: expect.stringContaining('"sh", "-c"'),
    })
  })

  it.each(["a 'b", 'a "b', 'a "b\\"', 'a\\'])('%s is not finished', (text) => {
    expect(splitCommand(text)).toEqual({
      problem: expect.stringMatching(/nothing closes|escapes nothing/),
      fix: expect.any(String),
    })
  })
})
