import { describe, expect, it } from 'vitest'
import { wantsColour, wantsProgress } from '../../../src/cli/terminal.ts'

describe('colours', () => {
  it.each([
    ['on a terminal', {}, true, false, true],
    ['not on a pipe', {}, false, false, false],
    ['not with NO_COLOR', { NO_COLOR: '1' }, true, false, false],
    ['with an empty NO_COLOR, which means nothing', { NO_COLOR: '' }, true, false, true],
    ['not with --no-color', {}, true, true, false],
    ['not on a dumb terminal', { TERM: 'dumb' }, true, false, false],
    ['on a pipe with FORCE_COLOR', { FORCE_COLOR: '1' }, false, false, true],
    ['not with FORCE_COLOR=0', { FORCE_COLOR: '0' }, true, false, false],
    ['not with NO_COLOR, whatever FORCE_COLOR says', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false, false],
    ['not with --no-color, whatever FORCE_COLOR says', { FORCE_COLOR: '1' }, true, true, false],
  ])('are used %s', (_, env, isTerminal, isForbidden, expected) => {
    expect(wantsColour(env, isTerminal, isForbidden)).toBe(expected)
  })
})

describe('progress', () => {
  it.each([
    ['on a terminal', {}, true, true],
    ['without colours too', { NO_COLOR: '1' }, true, true],
    ['not on a pipe', {}, false, false],
    ['not on a dumb terminal', { TERM: 'dumb' }, true, false],
    ['not in a CI', { CI: 'true' }, true, false],
    ['where CI says that it is none', { CI: 'false' }, true, true],
  ])('is shown %s', (_, env, isTerminal, expected) => {
    expect(wantsProgress(env, isTerminal)).toBe(expected)
  })
})
