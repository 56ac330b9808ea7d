import { describe, expect, it } from 'vitest'
import { browsersFor } from '../../../src/cli/browser.ts'

const url = 'http://carol.api.localhost:8080/'
const desktop = { DISPLAY: ':0' }

describe('a browser for a page', () => {
  it.each([
    ['that of the desktop', desktop, [['xdg-open', url]]],
    [
      'that of $BROWSER first',
      { ...desktop, BROWSER: 'firefox' },
      [
        ['firefox', url],
        ['xdg-open', url],
      ],
    ],
    [
      'several, with the address where it is wanted',
      { WAYLAND_DISPLAY: 'wayland-0', BROWSER: 'mine --new "%s" -q:other' },
      [
        ['mine', '--new', url, '-q'],
        ['other', url],
        ['xdg-open', url],
      ],
    ],
    ['none that would need a shell', { ...desktop, BROWSER: 'firefox; rm x' }, [['xdg-open', url]]],
    ['none that is no program', { ...desktop, BROWSER: '"":\'\' -x' }, [['xdg-open', url]]],
    ['none without a display', { BROWSER: 'firefox' }, []],
    ['none over ssh', { ...desktop, SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }, []],
  ])('is %s', (_, env, expected) => {
    expect(browsersFor(url, env)).toEqual(expected)
  })
})
