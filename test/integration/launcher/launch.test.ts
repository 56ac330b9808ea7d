import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Launch } from '../../../src/isolation/adapter.ts'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'
import { isRoot, testAsRoot, testAsUser } from '../../helpers/root.ts'

describe('a launch', () => {
  let launcher: TestLauncher
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(() => launcher.close())

  const start = (over: Partial<Launch> & { id?: string; run?: string }): Promise<Message> => {
    const { id = 'alice', run = newRunName(), ...rest } = over
    const launch = launcher.launchOf({ ...rest })
    return launcher.ask({ type: 'launch', run, service: 'api', id, launch, watch: true, note: null })
  }
  const sh = (script: string, over: Partial<Launch> = {}): Promise<Message> =>
    start({ argv: ['/bin/sh', '-c', script], ...over })
  const exit = async (): Promise<Message> => (await launcher.next(({ type }) => type === 'exited')).exit
  const outputOf = async (script: string, over: Partial<Launch> = {}): Promise<string[]> => {
    expect(await sh(script, over)).toMatchObject({ type: 'reply' })
    return (await exit()).lastLines
  }

  test('reports exit code, signal and the last lines of what it started', async () => {
    await sh('echo out; echo err >&2; exit 3')
    const ended = await exit()
    expect(ended).toMatchObject({ code: 3, signal: null, outOfMemory: false })
    expect([...ended.lastLines].sort()).toEqual(['err', 'out'])
  })

  test('reports the signal that ended a process', async () => {
    await sh('kill -SEGV $$')
    expect(await exit()).toMatchObject({ code: null, signal: 'SIGSEGV', outOfMemory: false })
  })

  test('a SIGKILL of an operator is not taken for want of memory', async () => {
    // The kernel counts for the whole machine, the launcher from one such end to the next: where somebody else was killed for it
    // meanwhile, it is tried again.
    const kills = (): string => /^oom_kill .*$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[0] ?? ''
    const killed = async (): Promise<Message> => {
      await sh('kill -KILL $$')
      return exit()
    }
    let told: Message
    let before: string
    do {
      before = kills()
      await killed()
      told = await killed()
    } while (before !== kills())
    expect(told).toMatchObject({ signal: 'SIGKILL', outOfMemory: false })
  })

  test('a process finds the environment it was given and nothing of the launcher', async () => {
    const lines = await outputOf('exec /usr/bin/env', { env: { PATH: '/usr/bin:/bin', GREETING: 'hello' } })
    const names = lines
      .map((line) => line.split('=')[0])
      .filter((name) => !['PWD', '_', 'SHLVL', 'OLDPWD'].includes(name ?? ''))
    expect(names.sort()).toEqual(isRoot ? ['GREETING', 'PATH'] : ['GREETING', 'PATH', 'TENEMENT_RUN'])
    expect(lines.join()).not.toContain('SECRET_OF_LAUNCHER')
  })

  test('a process inherits no descriptor beyond those of its launch', async () => {
    // ls itself holds one more: the directory it reads.
    const lines = await outputOf('exec /bin/ls /proc/self/fd')
    expect(lines).toEqual(['0', '1', '2', '3'])
  })

  test('a process can gain no privileges, leaves no core file and leads a session of its own', async () => {
    const lines = await outputOf(
      'grep NoNewPrivs /proc/self/status; ulimit -c; ulimit -Hc; cut -d" " -f6 /proc/$$/stat; echo $$',
    )
    expect(lines[0]).toBe('NoNewPrivs:\t1')
    // ulimit counts in blocks: one byte is less than one.
    expect(lines.slice(1, 3)).toEqual(['0', '0'])
    expect(lines[3]).toBe(lines[4])
  })

  test('a path descriptor and a content descriptor arrive under their numbers', async () => {
    writeFileSync(join(launcher.code, 'note.txt'), 'from a file', { mode: 0o644 })
    const run = newRunName()
    const launch = launcher.launchOf({
      argv: ['/bin/sh', '-c', 'cat /proc/self/fd/5; ls /proc/self/fd | tr "\\n" " "'],
      descriptors: [{ fd: 5, kind: 'path', path: join(launcher.code, 'note.txt') }],
    })
    expect(
      await launcher.ask({ type: 'launch', run, service: 'api', id: 'alice', launch, watch: false, note: null }),
    ).toMatchObject({ type: 'reply' })
    expect((await exit()).lastLines).toEqual(['from a file0 1 2 3 5 '])
  })

  test('a program that is not there is reported by name, and leaves the instance free for the next launch', async () => {
    expect(await start({ argv: ['/usr/bin/no-such-program'] })).toMatchObject({
      type: 'failed',
      code: 'failed',
      message: expect.stringContaining('cannot execute "/usr/bin/no-such-program"'),
    })
    expect(await sh('true')).toMatchObject({ type: 'reply' })
  })

  testAsUser('a folder that may not be entered is a reason why nothing was started in it', async () => {
    chmodSync(launcher.code, 0o600)
    const told = await sh('true')
    chmodSync(launcher.code, 0o755)
    expect(told).toMatchObject({
      type: 'failed',
      message: expect.stringContaining('the folder it starts in is closed to that uid'),
    })
  })

  test('limits hold for the process', async () => {
    expect(await outputOf('ulimit -n', { limits: { nofile: 64 } })).toEqual(['64'])
  })

  test('every start with an inherited socket gets a fresh one, on which connections wait while it boots', async () => {
    const inodes: string[] = []
    for (const run of [newRunName(), newRunName()]) {
      const socket = join(launcher.policy.runDir, 's', `${run}.sock`)
      const descriptors: Launch['descriptors'] = [{ fd: 3, kind: 'listener', socket }]
      await start({
        run,
        argv: ['/bin/sh', '-c', 'readlink /proc/$$/fd/3; sleep 30'],
        descriptors,
        reach: { kind: 'fd', socket },
      })
      await launcher.next(({ type, run: of }) => type === 'output' && of === run)
      const client = connect(socket)
      await new Promise((resolve, reject) => client.once('connect', resolve).once('error', reject))
      expect(await launcher.ask({ type: 'accepting', run })).toMatchObject({ value: false })
      client.destroy()
      await launcher.ask({ type: 'stop', run, signal: 'SIGTERM', timeoutMs: 2_000 })
      const ended = await launcher.next((message) => message.type === 'exited' && message.run === run)
      inodes.push(ended.exit.lastLines[0])
      expect(existsSync(socket)).toBe(false)
    }
    expect(inodes[0]).toMatch(/^socket:/)
    expect(inodes[0]).not.toBe(inodes[1])
  })

  test('the directory of a socket that the instance makes itself goes with the run, whatever is in it', async () => {
    const run = newRunName()
    const directory = join(launcher.policy.runDir, 'u', run)
    const reach: Launch['reach'] = { kind: 'unix', socket: join(directory, 'app.sock') }
    const directories: Launch['directories'] = [{ path: directory, mode: 0o2710, owner: 'tenant' }]
    const argv: Launch['argv'] = [
      '/bin/sh',
      '-c',
      `cd ${directory} && mkdir -p a/b && touch a/b/c && chmod 0 a && ln -s / root && echo made`,
    ]
    await start({ run, argv, directories, reach })
    expect((await exit()).lastLines).toEqual(['made'])
    expect(existsSync(directory)).toBe(false)
    expect(existsSync('/usr/bin')).toBe(true)
  })

  testAsRoot('as root an instance runs as its own uid, without groups, in a directory only it can open', async () => {
    const dataDir = join(launcher.root, 'data', 'api', 'alice')
    const lines = await outputOf('id -u; id -g; id -G; touch "$D/x" && echo wrote', {
      env: { PATH: '/usr/bin:/bin', D: dataDir },
      directories: [{ path: dataDir, mode: 0o700, owner: 'tenant' }],
    })
    const uid = launcher.launchOf().identity?.uid
    expect(lines).toEqual([`${uid}`, `${uid}`, `${uid}`, 'wrote'])
    expect(statSync(dataDir)).toMatchObject({ uid, gid: uid })
    expect(statSync(dataDir).mode & 0o7777).toBe(0o700)
    expect(statSync(join(launcher.root, 'data', 'api'))).toMatchObject({ uid: 0 })
  })

  testAsRoot('code in a directory that tenants cannot reach is bound, read-only, where they can', async () => {
    await launcher.close()
    const root = `/root/tenement-test-${process.pid}`
    mkdirSync(join(root, 'app'), { recursive: true, mode: 0o755 })
    try {
      writeFileSync(join(root, 'app', 'hello.sh'), 'pwd; touch new 2>/dev/null || echo read-only', { mode: 0o644 })
      const boundAt = (runDir: string): string => join(runDir, 'code', '0')
      const first = await startTestLauncher()
      await first.close()
      launcher = await startTestLauncher({
        root: first.root,
        policy: { codeDirs: [{ path: join(root, 'app'), boundAt: boundAt(join(first.root, 'run')) }] },
      })
      const at = boundAt(launcher.policy.runDir)
      expect(await outputOf('. ./hello.sh', { cwd: at })).toEqual([at, 'read-only'])
      expect(existsSync(join(at, 'hello.sh'))).toBe(false) // seen by instances alone, not by the machine
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })

  test('an instance can open /dev/stdout and /dev/stderr by name', async () => {
    expect((await outputOf('echo one > /dev/stdout; echo two > /dev/stderr')).sort()).toEqual(['one', 'two'])
  })

  test('what an instance writes is stamped and logged by stream', async () => {
    await outputOf('echo one; echo two >&2')
    const text = readFileSync(join(launcher.policy.logDir, 'api', 'alice.log'), 'utf8')
    expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z out one$/m)
    expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z err two$/m)
    if (isRoot) expect(statSync(join(launcher.policy.logDir, 'api', 'alice.log')).mode & 0o777).toBe(0o640)
  })

  test('a second launcher on the same run directory is refused', async () => {
    await expect(startTestLauncher({ root: launcher.root })).rejects.toThrow(/another tenement serves/)
  })
})
