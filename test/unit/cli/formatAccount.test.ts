import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clockTime, formatAccount } from '../../../src/cli/formatAccount.ts'
import type { Account, Stopped } from '../../../src/control/account.ts'
import { instanceAccount } from '../control/scripted.ts'

const zone = process.env.TZ
beforeAll(() => {
  process.env.TZ = 'UTC'
})
afterAll(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const nowMs = Date.parse('2026-11-23T12:01:10Z')
const told = (differences: Partial<Account>): readonly string[] =>
  formatAccount(
    instanceAccount('api:carol', { serverSince: '2026-11-23T11:00:00Z', ...differences }),
    nowMs,
    (_, text) => text,
  ).split('\n')

const crash: Stopped = {
  at: '2026-11-23T12:01:06Z',
  cause: 'crash',
  told: 'exited with code 3 after 12s',
  evictedFor: null,
  exit: { at: '2026-11-23T12:01:06Z', code: 3, signal: null, outOfMemory: false, refusedForks: 0, outOfStorage: false },
  lastLines: ['Traceback', 'no module "x"'],
}

describe('why', () => {
  it('of one that was never asked for', () => {
    expect(told({})).toEqual([
      'api:carol is asleep: nobody has asked for it since tenement started at 11:00:00 (1h 1m ago)',
      'nothing happens until a request comes, or: tenement wake api:carol',
    ])
  })

  it('of one that is ready tells who woke it, why it had stopped, and when it falls asleep', () => {
    const account: Partial<Account> = {
      phase: 'ready',
      since: '2026-11-23T12:00:00Z',
      woken: {
        at: '2026-11-23T11:59:58Z',
        by: 'request',
        order: null,
        request: { method: 'GET', host: 'carol.api.test', client: 'browser' },
      },
      stopped: { ...crash, cause: 'idle', told: 'idle for 5m', at: '2026-11-22T09:00:00Z' },
      next: { step: 'sleep', at: '2026-11-23T12:03:10.400Z' },
    }
    expect(told(account)).toEqual([
      'api:carol is ready since 12:00:00 (1m 10s ago): it answers requests',
      'it was woken at 11:59:58 (1m 12s ago) by a request: GET from a browser for carol.api.test',
      'it was last put to sleep at 2026-11-22 09:00:00 (1d 3h ago): idle for 5m',
      'it will be put to sleep at 12:03:10 (in 2m 1s) if nobody uses it',
    ])
  })

  it('of one that crashed tells how often, how, its last lines, when the next try is, and what to do', () => {
    const account: Partial<Account> = {
      phase: 'backoff',
      since: '2026-11-23T12:01:06Z',
      woken: { at: '2026-11-23T12:01:05Z', by: 'crash', order: null, request: null },
      stopped: crash,
      crashesInARow: 3,
      waiting: 2,
      next: { step: 'retry', at: '2026-11-23T12:01:14Z' },
    }
    expect(told(account)).toEqual([
      'api:carol is in backoff since 12:01:06 (4s ago): it crashed, and waits for its next start',
      'it was started again at 12:01:05 (5s ago) after a crash',
      'it last crashed at 12:01:06 (4s ago), 3 times in a row: exited with code 3 after 12s',
      'its last lines:',
      '  | Traceback',
      '  | no module "x"',
      'the next try is at 12:01:14 (in 4s); 2 requests waiting',
      '→ tenement logs api:carol',
    ])
  })

  it('says once how it ended, and does so where the sentence is about something else', () => {
    const exit = {
      at: crash.at,
      code: null,
      signal: 'SIGKILL',
      outOfMemory: true,
      refusedForks: 0,
      outOfStorage: false,
    }
    const lines = told({
      phase: 'asleep',
      since: crash.at,
      stopped: { ...crash, told: 'ran out of memory after 4s', exit },
    })
    expect(lines).toContain('it last crashed at 12:01:06 (4s ago): ran out of memory after 4s')
    const unseen = told({ stopped: { ...crash, told: 'ended while no tenement was running' } })
    expect(unseen).toContain('it last crashed at 12:01:06 (4s ago): ended while no tenement was running (exit code 3)')
  })

  it('of one that is left alone tells until when, and from then on that the next request tries', () => {
    const account = { phase: 'crashlooped', since: null, stopped: crash } as const
    const closed = told({ ...account, next: { step: 'try', at: '2026-11-23T12:06:10Z' } })
    expect(closed[0]).toBe(
      'api:carol is crashlooped since before this server started at 11:00:00 (1h 1m ago): it crashed again and again, and is left alone for a while',
    )
    expect(closed).toContain('requests are refused until 12:06:10 (in 5m); then the next one tries once')
    expect(closed.at(-1)).toMatch(/^→ tenement logs api:carol; .*tenement enable api:carol/)
    expect(told({ ...account, next: { step: 'try', at: '2026-11-23T12:01:00Z' } })).toContain(
      'the next request tries once',
    )
  })

  it('of one that is in use does not promise that it falls asleep', () => {
    const account = { phase: 'ready', since: crash.at, active: 2, next: { step: 'stay', at: null } } as const
    expect(told({ ...account, idleTimeoutMs: 300_000 }).at(-1)).toBe(
      'it stays awake: 2 requests in progress; 5m after the last it will be put to sleep',
    )
    expect(told(account).at(-1)).toBe('it stays awake: its idle_timeout is "never"; 2 requests in progress')
  })

  it('of one that this machine cannot run gives the reason and the command that tells more', () => {
    expect(told({ next: { step: 'refused', at: null }, refused: 'no memory limit here' }).slice(-2)).toEqual([
      'it is not started on this machine: no memory limit here',
      '→ tenement check',
    ])
  })

  it('shows what a program wrote without its control characters taking effect', () => {
    const lines = told({ stopped: { ...crash, lastLines: ['\u001b]0;title\u0007'] } })
    expect(lines.join('')).not.toContain('\u001b')
  })
})

it('a time of another day is told with its date', () => {
  expect(clockTime('2026-11-23T23:59:59Z', nowMs)).toBe('23:59:59')
  expect(clockTime('2026-11-24T00:00:00Z', nowMs)).toBe('2026-11-24 00:00:00')
})
