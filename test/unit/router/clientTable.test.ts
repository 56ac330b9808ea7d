// What a client sees in each situation: every row of the table, and the test that shows it. A test belongs to a row by its name,
// "L4 ROW: …"; a row without one fails here, and so does a name with a row that is not in the table.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** The row, and what a program gets; a browser gets the same status with a page where it is not said otherwise. */
const rows = {
  'unknown host': '404 unknown_host, the same for an unknown tenant',
  'bad host or head':
    '400 and the end of the connection: no Host or two, an id that is none, two framings, folded lines',
  'head too large': '431',
  'asleep to ready': "the instance's answer, nothing added",
  'waiting page': '503 waking after page_after, for browsers alone; the wake goes on',
  'hold deadline': '503 waking after hold_timeout',
  'queue full': '503 queue_full: queue_max wait for one instance',
  'all queues full': '503 queue_full: ten thousand wait for all',
  'no capacity': '503 capacity: as many run as may, and none can be stopped for it',
  'rate limited': '429 rate_limited, with RateLimit headers',
  'start failed': '503 start_failed',
  backoff: '503 backoff, with the rest of the wait',
  crashloop: '503 crashloop at once, and no start',
  disabled: '503 disabled',
  paused: 'held, then 503 paused',
  'refused after ready': 'one more wake within the hold time',
  unreachable: '503 unreachable, not delivered',
  'broke before its head': 'tried again where that is safe, else 502 upstream_broke, delivered',
  'no head in time': '504 upstream_timeout, delivered',
  'answers of its own': 'passed through unchanged, 5xx too',
  'malformed answer': '502 upstream_protocol',
  'body too large by its length': '413 before any wake',
  'body too large in the end': 'cut at the limit',
  loop: '508 loop',
  'upgrade while asleep': 'held, then 101',
  'failed upgrade': '502, 503, 504 as any other request, before any 101',
  'health check while asleep': '200 by asleep_health = "ok", and no wake',
  'shutting down': 'connection: close on HTTP/1, and what runs is finished',
  'Retry-After': 'a whole number of seconds, at least 1, with jitter',
  HEAD: 'the head of a page, and no body',
  'browser or program': 'Sec-Fetch-Mode, else what Accept prefers',
} as const

/** Rows that nobody builds yet, and why. */
const directions = {
  'page of an operator': 'templates of own pages are no key of the config: the pages of tenement are fixed',
  'owner token': 'nobody is told details of a failure over HTTP; "tenement why" tells the operator',
  'preflight answered asleep': 'there is no cors key: an OPTIONS wakes its instance as any other request does',
  'HTTP/2': 'tenement speaks HTTP/1.1; a server in front of it may speak more',
}

const folder = fileURLToPath(new URL('../..', import.meta.url))
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'))
/** The rows that names of tests begin with. */
const shown = files
  .map((file) => readFileSync(join(folder, file), 'utf8'))
  .flatMap((text) => [...text.matchAll(/\b(?:test|it)\b[^\n]{0,40}\(\s*['"`](?:L3\.\d+ )?L4 ([^:\n]+): /g)])
  .map(([, row = '']) => row)

test.each(Object.keys(rows))('what a client sees is shown by a test: %s', (row) => {
  expect(shown).toContain(row)
})

test('a test that shows what a client sees names a row of the table', () => {
  expect(shown.filter((row) => !Object.hasOwn(rows, row))).toEqual([])
})

test('what nobody builds yet is no row, and says why', () => {
  for (const [row, reason] of Object.entries(directions)) {
    expect(Object.keys(rows)).not.toContain(row)
    expect(reason.length).toBeGreaterThan(20)
  }
})
