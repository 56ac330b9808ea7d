import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { day, night } from '../../../../src/router/page/colours.ts'
import { stillPage, waitingPage } from '../../../../src/router/page/page.ts'
import { wordsFor } from '../../../../src/router/page/words.ts'
import type { WakeState } from '../../../../src/router/wake.ts'

const starting: WakeState = { state: 'starting', forMs: 2_400 }
const pages = { still: stillPage('404 Not Found', 'Nothing.', 5), waiting: waitingPage(starting, 1) }

/** As a browser counts it: the bytes between the tags (CSP 3, section 6.7.3.3). */
const hashes = (html: string, tag: string): readonly string[] =>
  [...html.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, 'g'))].map(
    ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`,
  )

const directive = (policy: string, name: string): string | undefined =>
  policy
    .split('; ')
    .find((one) => one.startsWith(`${name} `))
    ?.slice(name.length + 1)

test.each(Object.entries(pages))(
  'the policy of the %s page lets in its own style and script, and nothing else',
  (_, page) => {
    const { html, policy } = page
    expect(directive(policy, 'default-src')).toBe("'none'")
    expect(hashes(html, 'style')).toEqual([directive(policy, 'style-src')])
    expect(hashes(html, 'script')).toEqual([directive(policy, 'script-src') ?? []].flat())
    expect(policy).not.toContain('unsafe')
    expect(html).not.toMatch(/ (?:src|href|style|on\w+)=/)
    expect(html).not.toMatch(/https?:|url\(/)
  },
)

test('only the page that waits runs a script, and asks its own host alone', () => {
  expect(directive(pages.still.policy, 'script-src')).toBeUndefined()
  expect(directive(pages.still.policy, 'connect-src')).toBeUndefined()
  expect(directive(pages.waiting.policy, 'connect-src')).toBe("'self'")
})

test('the waiting page comes back by itself only where scripts do not run, the other one always', () => {
  expect(pages.waiting.html).toContain('<noscript><meta http-equiv="refresh" content="1"></noscript>')
  expect(pages.waiting.html.match(/http-equiv="refresh"/g)).toHaveLength(1)
  expect(pages.still.html).toMatch(/^<meta http-equiv="refresh" content="5">$/m)
  expect(stillPage('404', 'Nothing.', undefined).html).not.toContain('http-equiv')
})

test('what is written on a page stays text', () => {
  const { html } = stillPage('<b>&"', `</title><script>alert('1')</script>`, undefined)
  expect(html).toContain('<title>&lt;b&gt;&amp;&quot;</title>')
  expect(html).toContain('&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)')
  expect(html).not.toContain('<script')
})

test('a page says its language, keeps out of search engines, fits a telephone, and rests where motion is not wanted', () => {
  for (const { html } of Object.values(pages)) {
    expect(html).toContain('<html lang="en"')
    expect(html).toContain('<meta name="robots" content="noindex">')
    expect(html).toContain('<meta name="viewport" content="width=device-width">')
    expect(html).toContain('@media (prefers-reduced-motion:reduce)')
  }
})

test('the waiting page tells changes to whoever cannot see them, but not every second', () => {
  const [, read = ''] = /<div role="status" aria-live="polite">([\s\S]*?)<\/div>/.exec(pages.waiting.html) ?? []
  expect(read).toContain('<h1 id="title">Waking up</h1>')
  expect(read).not.toContain('id="time"')
  expect(pages.waiting.html).toContain('<p id="time" class="quiet">2 seconds</p>')
})

test('before any script runs, the waiting page says how far the wake is', () => {
  const { html } = waitingPage({ state: 'queued', ahead: 3 }, 1)
  expect(html).toContain('<title>Waiting its turn</title>')
  expect(html).toContain('<p id="time" class="quiet">3 before it in line</p>')
  expect(html).toContain('data-state="queued"')
})

test.each<[WakeState, string, string]>([
  [{ state: 'queued', ahead: 0 }, 'Waiting its turn', 'Next in line'],
  [{ state: 'queued', ahead: 12 }, 'Waiting its turn', '12 before it in line'],
  [{ state: 'queued', ahead: undefined }, 'Waiting its turn', ''],
  [{ state: 'starting', forMs: 999 }, 'Waking up', ''],
  [{ state: 'starting', forMs: 1_999 }, 'Waking up', '1 second'],
  [{ state: 'starting', forMs: 119_000 }, 'Waking up', '119 seconds'],
  [{ state: 'starting', forMs: 190_000 }, 'Waking up', '3 minutes'],
  [{ state: 'backoff', retryInMs: 4_001 }, 'Trying again', 'Next try in 5 seconds'],
  [{ state: 'backoff', retryInMs: 0 }, 'Trying again', 'Next try in 1 second'],
  [{ state: 'paused' }, 'Back soon', ''],
  [{ state: 'failed' }, 'It does not start', ''],
  [{ state: 'done' }, 'Ready', ''],
])('%j is told as %s, %j', (state, title, time) => {
  expect(wordsFor(state)).toMatchObject({ state: state.state, title, time })
})

/** WCAG 2.1, relative luminance and contrast ratio. */
const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const contrast = (one: string, other: string): number => {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

test.each([
  ['day', day],
  ['night', night],
])('by %s everything written can be read against what is behind it', (_, colours) => {
  for (const ink of [colours.text, colours.quiet]) expect(contrast(ink, colours.page)).toBeGreaterThanOrEqual(4.5)
})
