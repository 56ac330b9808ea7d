import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Expectation, Launch } from '../../../src/isolation/adapter.ts'
import { recordedFirst } from '../../../src/launcher/records.ts'
import { findStrace, traceProcess } from '../../../src/trace/strace.ts'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { isAlive, withCommandLine } from '../../helpers/processes.ts'
import { isRoot, testAsUser } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

/** Numbers of the gate and of the mark in these launches. */
const gate = 10
const prepared = 11

const namespaces = ['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup']

const options = (further: readonly string[] = []): string[] => [
  ...[...namespaces, '--unshare-net', '--disable-userns', '--uid', '1000', '--gid', '1000', '--new-session'],
  ...['--cap-drop', 'ALL', '--ro-bind', '/usr', '/usr', '--symlink', 'usr/bin', '/bin', '--symlink', 'usr/lib', '/lib'],
  ...['--symlink', 'usr/lib64', '/lib64', '--proc', '/proc', ...further],
  ...['--ro-bind-data', String(prepared), '/prepared', '--remount-ro', '/', '--block-fd', String(gate)],
]

const expectation: Expectation = {
  namespaces: ['user', 'pid', 'mnt', 'ipc', 'uts', 'cgroup', 'net'],
  innerUid: 1_000,
  innerGid: 1_000,
  mounts: { '/': false, '/usr': false, '/proc': true, '/prepared': false },
  isFiltered: false,
  descriptors: [0, 1, 2],
}

/** Whether this machine lets root set the lower bound: CAP_SYS_RESOURCE (24), which a container or a virtual machine may lack. */
const keepsScore = (): boolean => {
  const effective = /^CapEff:\t(\w+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'
  return isRoot && (BigInt(`0x${effective}`) & (1n << 24n)) !== 0n
}

/** A time to sleep that no other process of this machine sleeps: without root all have one uid, and other tests run beside. */
const forOurs = (seconds: number): string => `${seconds}.${process.pid}`
const sleepers = (seconds: number): number[] => withCommandLine(`sleep\0${forOurs(seconds)}`)

describe('a launch that is held at its gate', () => {
  let launcher: TestLauncher
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(() => launcher.close())

  const launchOf = (script: string, over: Partial<Launch> & { readonly options?: readonly string[] } = {}): Launch => {
    const { options: given = options(), ...rest } = over
    return launcher.launchOf({
      argv: ['/usr/bin/bwrap', ...given, '--', '/bin/sh', '-c', script],
      env: {},
      depth: 2,
      descriptors: [
        { fd: gate, kind: 'gate' },
        { fd: prepared, kind: 'prepared' },
      ],
      expect: expectation,
      ...rest,
    })
  }
  const start = (launch: Launch, run = newRunName()): Promise<Message> =>
    launcher.ask({ type: 'launch', run, service: 'api', id: 'alice', launch, watch: true, note: null })
  const exit = async (): Promise<Message> => (await launcher.next(({ type }) => type === 'exited')).exit
  const file = (name: string): string => join(launcher.code, name)

  test('runs once it is what was expected, and says what was found', async () => {
    const answer = await start(launchOf('echo up; exit 3'))
    expect(answer).toMatchObject({ type: 'reply' })
    expect(answer.value.attestation.found).toMatchObject({
      'pid.private': expect.stringMatching(/^pid:\[\d+\]$/),
      'net.private': expect.stringMatching(/^net:\[\d+\]$/),
      'priv.noNew': 'NoNewPrivs 1',
      'fs.readOnlyRoot': '4 mounts, writable: /proc',
    })
    expect(await exit()).toMatchObject({ code: 3, lastLines: ['up'] })
  })

  test.each([
    ['pid.private', { options: options().filter((each) => each !== '--unshare-pid') }],
    ['net.private', { options: options().filter((each) => each !== '--unshare-net') }],
    ['ipc.private', { options: options().filter((each) => each !== '--unshare-ipc') }],
    ['uts.private', { options: options().filter((each) => each !== '--unshare-uts') }],
    ['cgroup.private', { options: options().filter((each) => each !== '--unshare-cgroup') }],
    ['user.idMap', { expect: { ...expectation, innerUid: 0 } }],
    ['fs.readOnlyRoot', { options: options(['--tmpfs', '/further']) }],
    [
      'fs.readOnlyRoot',
      {
        options: options()
          .filter((each) => each !== '--remount-ro')
          .filter((each) => each !== '/'),
      },
    ],
    ['syscalls.filtered', { expect: { ...expectation, isFiltered: true } }],
  ])('is ended before it runs, or as it begins, where "%s" does not hold', async (capability, over) => {
    const answer = await start(launchOf(`sleep ${forOurs(60)}`, over))
    expect(answer).toMatchObject({ type: 'failed', code: 'failed' })
    expect(answer.message).toContain(`"${capability}"`)
    expect(sleepers(60)).toEqual([])
  })

  test.each<[string, readonly string[], string]>([
    ['another folder of the machine', ['--ro-bind', '/etc', '/more'], '/usr/share'],
    ['the folder around what was planned', ['--ro-bind', '/usr', '/more'], '/usr/share'],
    ['a folder in place of one that is empty', ['--ro-bind', '/usr', '/more'], 'tmpfs'],
    ['an empty folder in place of one of the machine', ['--tmpfs', '/more', '--remount-ro', '/more'], '/usr/share'],
    ["the machine's processes", ['--ro-bind', '/proc', '/more'], 'tmpfs'],
  ])('is ended before it runs where it is shown %s', async (_, further, source) => {
    const mounts = { ...expectation.mounts, '/more': false }
    const expected = { ...expectation, mounts, sources: { '/usr': '/usr', '/proc': 'proc', '/more': source } }
    const answer = await start(launchOf(`sleep ${forOurs(60)}`, { options: options(further), expect: expected }))
    expect(answer).toMatchObject({ type: 'failed', message: expect.stringContaining(`and not "${source}"`) })
    expect(sleepers(60)).toEqual([])
  })

  test('is shown what was planned by way of a symlink of the operator, and of nobody else', async () => {
    mkdirSync(file('real'), { mode: 0o755 })
    symlinkSync(launcher.code, join(launcher.root, 'alias'))
    symlinkSync('/usr', file('planted'))
    const showing = (source: string): Launch =>
      launchOf('true', {
        options: options(['--ro-bind', source, '/more']),
        expect: { ...expectation, mounts: { ...expectation.mounts, '/more': false }, sources: { '/more': source } },
      })
    expect(await start(showing(file('real')))).toMatchObject({ type: 'reply' })
    await launcher.next(({ type }) => type === 'exited')
    expect(await start(showing(file('planted')))).toMatchObject({ message: expect.stringContaining('"/more" shows') })
    const aliased = await startTestLauncher({ policy: { codeDirs: [{ path: join(launcher.root, 'alias') }] } })
    const launch = { ...showing(join(launcher.root, 'alias', 'real')), cwd: join(launcher.root, 'alias') }
    const identity = aliased.launchOf().identity
    const request = { type: 'launch', run: newRunName(), service: 'api', id: 'alice', watch: false, note: null }
    expect(await aliased.ask({ ...request, launch: { ...launch, identity } })).toMatchObject({ type: 'reply' })
    await aliased.close()
  })

  test('tells in its own words why it could not be made', async () => {
    const answer = await start(launchOf('true', { options: options(['--ro-bind', '/no/such/place', '/x']) }))
    expect(answer).toMatchObject({ type: 'failed', message: expect.stringContaining('/no/such/place') })
  })

  testAsUser(
    'is refused at once where its program can be executed and not read, so that nothing of it can be seen',
    async () => {
      copyFileSync('/bin/sleep', file('sleep'))
      chmodSync(file('sleep'), 0o111)
      const startedAt = performance.now()
      const { argv, ...launch } = launchOf('', {
        options: options(['--ro-bind', launcher.code, '/code']),
        expect: { ...expectation, mounts: { ...expectation.mounts, '/code': false } },
      })
      const [program, ...args] = argv
      const answer = await start({ ...launch, argv: [program, ...args.slice(0, -3), '/code/sleep', forOurs(64)] })
      expect(answer).toMatchObject({ type: 'failed', message: expect.stringContaining('chmod a+r the program') })
      expect(performance.now() - startedAt).toBeLessThan(10_000)
    },
  )

  test('costs the launcher no memory by what its program writes as it ends', async () => {
    const peakKilobytes = (): number =>
      Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${launcher.process.pid}/status`, 'latin1'))?.[1])
    const before = peakKilobytes()
    const flood = ['/bin/sh', '-c', 'cat /dev/zero >&2 & sleep 0.1'] as const
    const answer = await start({ ...launchOf(''), argv: [...flood] as Launch['argv'] })
    expect(answer).toMatchObject({ type: 'failed', message: expect.stringContaining('ended before the application') })
    expect(answer.message.length).toBeLessThan(2_000)
    expect(peakKilobytes() - before).toBeLessThan(100_000)
  })

  test('inherits no descriptor that the application was not given', async () => {
    writeFileSync(file('note.txt'), 'a file of the machine', { mode: 0o644 })
    const descriptors = [...launchOf('').descriptors, { fd: 12, kind: 'path', path: file('note.txt') } as const]
    const answer = await start(launchOf(`sleep ${forOurs(60)}`, { descriptors }))
    expect(answer).toMatchObject({ type: 'failed', message: expect.stringContaining('"fd.clean"') })
  })

  test('may copy what it was given, as shells do with their standard input', async () => {
    const answer = await start(launchOf(`exec 12<&0 13>&1; sleep ${forOurs(60)}`))
    expect(answer).toMatchObject({ type: 'reply' })
  })

  test('never runs when the launcher dies before it has let it go', async () => {
    const fifo = file('fifo')
    execFileSync('mkfifo', ['-m', '644', fifo])
    const { argv, ...launch } = launchOf(`echo ran; exec sleep ${forOurs(63)}`)
    void start({ ...launch, argv: ['/bin/sh', '-c', 'read _ < "$0"; exec "$@"', fifo, ...argv] }).catch(() => undefined)
    const ours = (): number[] =>
      withCommandLine('--block-fd').filter((pid) => withCommandLine(`sleep ${forOurs(63)}`).includes(pid))
    await waitUntil(() => ours().length === 1)
    launcher.process.kill('SIGKILL')
    await waitUntil(() => launcher.process.signalCode !== null)
    writeFileSync(fifo, 'go on\n')
    await waitUntil(() => ours().some(isHeld))
    expect(sleepers(63)).toEqual([])
    const next = await startTestLauncher({ root: launcher.root, policy: launcher.policy })
    expect(ours()).toEqual([])
    await next.close()
  })

  const startTraced = (launch: Launch, run: string): Promise<Message> =>
    launcher.ask({ type: 'launch', run, service: 'api', id: 'alice', launch, watch: true, note: null, isTraced: true })

  test('is let go only once somebody traces it, where that was ordered', async () => {
    const run = newRunName()
    let isAnswered = false
    const answer = startTraced(launchOf(`echo up; exec sleep ${forOurs(65)}`), run).finally(() => {
      isAnswered = true
    })
    await waitUntil(() => recordedFirst(launcher.policy.runDir, run) !== undefined)
    const first = recordedFirst(launcher.policy.runDir, run)?.pid ?? 0
    await waitUntil(() => isHeld(first))
    // Untraced it would have become the application within a fraction of the time that strace takes to begin.
    const begunAt = performance.now()
    await waitUntil(() => performance.now() - begunAt > 200)
    expect({ isAnswered, sleepers: sleepers(65) }).toEqual({ isAnswered: false, sleepers: [] })
    const lines: string[] = []
    const tracer = traceProcess(await findStrace(), first, (line) => lines.push(line))
    expect(await answer).toMatchObject({ type: 'reply' })
    await waitUntil(() => sleepers(65).length === 1)
    await launcher.ask({ type: 'stop', run, signal: 'SIGKILL', timeoutMs: 0 })
    await tracer.over
    const execve = process.arch === 'x64' ? 59 : 221
    expect(lines.filter((line) => new RegExp(`^\\d+ +\\[ *${execve}\\]`).test(line)).length).toBeGreaterThan(1)
  })

  test('is ended where nobody comes to trace it', async () => {
    const answer = await startTraced(launchOf(`sleep ${forOurs(66)}`), newRunName())
    expect(answer).toMatchObject({ type: 'failed', message: 'nobody began to trace it within 10 seconds' })
    expect(sleepers(66)).toEqual([])
    expect(withCommandLine('--block-fd').filter((pid) => withCommandLine(forOurs(66)).includes(pid))).toEqual([])
  }, 30_000)

  /** It waits in read(2) on the gate, and every end of that pipe is its own. */
  const isHeld = (pid: number): boolean => / 0xa /.test(readFileSync(`/proc/${pid}/syscall`, 'latin1').slice(0, 8))

  test('gets its stop signal past the monitor, and ends whole', async () => {
    const run = newRunName()
    const script = `trap 'echo told; exit 0' TERM; (setsid sleep ${forOurs(61)} &); echo up; while :; do sleep 0.05; done`
    expect(await start(launchOf(script), run)).toMatchObject({ type: 'reply' })
    await launcher.next(({ type, lines }) => type === 'output' && lines.includes('up'))
    await launcher.ask({ type: 'stop', run, signal: 'SIGTERM', timeoutMs: 5_000 })
    expect((await exit()).lastLines).toContain('told')
    expect(sleepers(61)).toEqual([])
  })

  test('is ended by the next launcher when its own is killed', async () => {
    const run = newRunName()
    expect(await start(launchOf(`echo up; exec sleep ${forOurs(62)}`), run)).toMatchObject({ type: 'reply' })
    const [record] = readdirSync(join(launcher.policy.runDir, 'launcher')).filter((name) => name.startsWith(run))
    expect(record).toBeDefined()
    await waitUntil(() => sleepers(62).length > 0)
    const pids = sleepers(62)
    launcher.process.kill('SIGKILL')
    await waitUntil(() => launcher.process.signalCode !== null)
    expect(pids.some(isAlive)).toBe(true)
    const next = await startTestLauncher({ root: launcher.root, policy: launcher.policy })
    expect(pids.filter(isAlive)).toEqual([])
    await next.close()
  })

  test('has at most the priority and the score it was started with', async () => {
    await start(
      launchOf('cat /proc/self/oom_score_adj; echo 0 > /proc/self/oom_score_adj; cat /proc/self/oom_score_adj'),
    )
    const { lastLines } = await exit()
    expect(lastLines.filter((line: string) => /^\d+$/.test(line))).toEqual(['200', keepsScore() ? '200' : '0'])
  })
})
