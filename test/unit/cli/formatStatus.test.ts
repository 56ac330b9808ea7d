import { describe, expect, it } from 'vitest'
import { formatExit, formatStatus } from '../../../src/cli/formatStatus.ts'
import type { Paint } from '../../../src/cli/terminal.ts'
import type { StorageStatus } from '../../../src/control/operations.ts'
import { carol, instanceStatus } from '../control/scripted.ts'

const plain: Paint = (_, text) => text
const now = Date.parse('2026-11-23T18:20:00.000Z')

describe('the block of status', () => {
  it('shows a ready instance with everything it has', () => {
    const status = instanceStatus(carol, {
      phase: 'ready',
      source: 'added',
      pid: 4101,
      uid: 700_003,
      startedAt: '2026-11-23T18:15:54.123Z',
      uptimeMs: 245_877,
      idleMs: 12_000,
      active: 0,
      requests: 1_234,
      restarts: 1,
      memoryBytes: 12 * 1024 ** 2,
      lastWake: {
        at: '2026-11-23T18:15:54.000Z',
        cause: 'request',
        queueMs: 0.04,
        spawnMs: 41.25,
        readyMs: 1262.5,
        firstByteMs: null,
      },
      lastStop: 'exited with code 3 after 12s',
      attestation: { at: '2026-11-23T18:15:54.120Z', found: { 'pid.private': 'pid:[1]', 'caps.none': '0' } },
      lastExit: {
        at: '2026-11-23T18:15:50.000Z',
        code: 3,
        signal: null,
        outOfMemory: false,
        refusedForks: 0,
        outOfStorage: false,
      },
    })
    expect(formatStatus(status, now, plain)).toBe(
      [
        'instance:  api:carol',
        'phase:     ready',
        'address:   carol.api.localhost:8080',
        'source:    added by "tenement add"',
        'isolation: none',
        'attested:  2026-11-23T18:15:54.120Z, 2 facts as planned',
        'pid:       4101',
        'uid:       700003',
        'started:   2026-11-23T18:15:54.123Z',
        'uptime:    4m 5s',
        'idle:      12s',
        'active:    0',
        'requests:  1234',
        'restarts:  1',
        'memory:    12 MB',
        'last wake: queue 0.0ms, spawn 41.3ms, ready 1262.5ms, for a request (2026-11-23T18:15:54.000Z, 4m 6s ago)',
        'last stop: exited with code 3 after 12s',
        'last exit: exit code 3 (2026-11-23T18:15:50.000Z, 4m 10s ago)',
        'data:      /data/carol',
        'log:       /log/api/carol.log',
      ].join('\n'),
    )
  })

  it('leaves out what an instance that never ran does not have, and says how to wake it', () => {
    const shown = formatStatus(instanceStatus(carol), now, plain)
    expect(shown).not.toMatch(/^(attested|pid|uid|started|uptime|idle|memory|last stop|last exit|next attempt):/m)
    expect(shown).toMatch(/\n→ a request wakes it, or: tenement wake api:carol$/)
  })

  it('says when the next start is tried, and where to look meanwhile', () => {
    const status = instanceStatus(carol, { phase: 'backoff', nextAttemptAt: '2026-11-23T18:20:07.500Z' })
    const shown = formatStatus(status, now, plain)
    expect(shown).toMatch(/^next attempt: 2026-11-23T18:20:07.500Z, in 7s$/m)
    expect(shown).toMatch(/\n→ tenement logs api:carol$/)
  })

  it('says that a crashlooped instance whose time has come waits for a request', () => {
    const status = instanceStatus(carol, { phase: 'crashlooped', nextAttemptAt: '2026-11-23T18:19:00.000Z' })
    expect(formatStatus(status, now, plain)).toMatch(/^next attempt: .*, with the next request$/m)
  })

  it('says where a failing instance may have met its seccomp profile, and only while it fails', () => {
    const hint =
      /\n→ .*"Function not implemented".*: tenement trace api:carol tells which, tenement seccomp explain default why$/
    const failing = instanceStatus(carol, { phase: 'crashlooped', seccomp: 'default' })
    expect(formatStatus(failing, now, plain)).toMatch(hint)
    expect(formatStatus({ ...failing, phase: 'ready' }, now, plain)).not.toMatch(hint)
    expect(formatStatus({ ...failing, seccomp: null }, now, plain)).not.toMatch(hint)
    const lastExit = { at: '', code: null, signal: 'SIGKILL', outOfMemory: true, refusedForks: 0, outOfStorage: false }
    expect(formatStatus({ ...failing, lastExit }, now, plain)).not.toMatch(hint)
  })

  it('says why this machine cannot run an instance, instead of how to wake it', () => {
    const shown = formatStatus(instanceStatus(carol, { refused: 'bubblewrap is not installed' }), now, plain)
    expect(shown).toMatch(/^refused: {3}bubblewrap is not installed$/m)
    expect(shown).toMatch(/\n→ tenement check$/)
    expect(shown).not.toContain('tenement wake')
  })

  it('lets no control character of the last stop reach the terminal', () => {
    const shown = formatStatus(instanceStatus(carol, { lastStop: 'said \u001b[2J and \u009b' }), now, plain)
    expect(shown).toContain('said \\u001b[2J and \\u009b')
  })
})

describe('how full the data of an instance is', () => {
  const storage: StorageStatus = {
    ...{ bytes: 12 * 1024 ** 2, files: 34, maxBytes: 1024 ** 3, maxFiles: 262_144 },
    ...{ quota: 'enforced', isFull: false, reactsWithinMs: 11_000 },
  }
  const shownOf = (differences: Partial<StorageStatus>): string =>
    formatStatus(instanceStatus(carol, { phase: 'ready', storage: { ...storage, ...differences } }), now, plain)

  it.each<readonly [Partial<StorageStatus>, string]>([
    [{}, 'kept by the file system'],
    [{ quota: 'escapable' }, 'kept by the file system unless it works against that, looked at again within 11s'],
    [{ quota: 'absent' }, 'looked at again within 11s'],
    [{ isFull: true }, 'full: writes fail, kept by the file system'],
    [{ isFull: true, quota: 'absent' }, 'full, looked at again within 11s'],
  ])('%j is told with who keeps it from being fuller', (differences, told) => {
    expect(shownOf(differences)).toMatch(new RegExp(`^storage: +12 MB of 1\\.0 GB, 34 of 262144 files, ${told}$`, 'm'))
  })

  it('is followed by what to do where it is full, or was when the instance crashed', () => {
    const hint = /^→ its data is full: have it remove what it does not need, or raise storage_max$/m
    expect(shownOf({ isFull: true })).toMatch(hint)
    expect(shownOf({})).not.toMatch(hint)
    const lastExit = { at: '', code: 1, signal: null, outOfMemory: false, refusedForks: 0, outOfStorage: true }
    expect(formatStatus(instanceStatus(carol, { phase: 'backoff', lastExit }), now, plain)).toMatch(hint)
    expect(formatStatus(instanceStatus(carol, { phase: 'ready', lastExit }), now, plain)).not.toMatch(hint)
  })
})

describe('an exit', () => {
  it.each([
    [{ code: 0, signal: null, outOfMemory: false }, 'exit code 0'],
    [{ code: null, signal: 'SIGSEGV', outOfMemory: false }, 'SIGSEGV'],
    [{ code: null, signal: 'SIGKILL', outOfMemory: true }, 'SIGKILL, out of memory'],
    [{ code: null, signal: null, outOfMemory: false }, 'unknown'],
    [{ code: 1, signal: null, outOfMemory: false, refusedForks: 12 }, 'exit code 1, refused 12 processes or threads'],
    [{ code: 1, signal: null, outOfMemory: false, refusedForks: 1 }, 'exit code 1, refused 1 process or thread'],
    [{ code: 1, signal: null, outOfMemory: false, outOfStorage: true }, 'exit code 1, its data at storage_max'],
  ])('%j is told as %s', (exit, shown) => {
    expect(formatExit({ at: '', refusedForks: 0, outOfStorage: false, ...exit })).toBe(shown)
  })
})
