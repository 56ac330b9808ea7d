import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Descriptor } from '../../../src/isolation/adapter.ts'
import {
  type Message,
  makeTemporaryDirectory,
  newRunName,
  startTestLauncher,
  type TestLauncher,
} from '../../helpers/launcher.ts'
import { isRoot, testAsRoot } from '../../helpers/root.ts'

describe('what a service was granted', () => {
  let root: string
  let launcher: TestLauncher
  const at = (...names: string[]): string => join(root, ...names)
  beforeEach(async () => {
    root = makeTemporaryDirectory()
    for (const name of ['models', 'private', 'wide']) mkdirSync(at(name), { mode: 0o755 })
    chmodSync(at('wide'), 0o777)
    mkdirSync(at('wide', 'planted'))
    mkdirSync(at('private', 'inner'))
    chmodSync(at('private'), 0o700)
    symlinkSync('/etc', at('link'))
    writeFileSync(at('models', 'file'), 'granted', { mode: 0o644 })
    writeFileSync(at('private', 'inner', 'file'), 'from a closed place', { mode: 0o644 })
    execFileSync('mkfifo', ['-m', '600', at('pipe')])
    writeFileSync(at('token'), 'the secret', { mode: 0o600 })
    const bound = { path: at('private', 'inner'), boundAt: at('run', 'grants', 'api', 'read0') }
    launcher = await startTestLauncher({
      root,
      policy: {
        grants: {
          api: {
            read: [
              { path: at('models') },
              { path: at('link') },
              { path: at('wide', 'planted') },
              ...(isRoot ? [bound] : []),
            ],
            write: [],
            secrets: { TOKEN: at('token'), PIPE: at('pipe'), ELSEWHERE: at('link', 'passwd') },
          },
          other: { read: [], write: [], secrets: {} },
        },
        floors: { api: {}, other: {} },
        dataDirs: { api: [join(root, 'data', '/'), ''], other: [join(root, 'data', 'other', '/'), ''] },
      },
    })
  })
  afterEach(() => launcher.close())

  const launch = async (descriptor: Descriptor, script: string, service = 'api'): Promise<Message> => {
    const launch = launcher.launchOf({ argv: ['/bin/sh', '-c', script], descriptors: [descriptor] })
    const run = newRunName()
    const answer = await launcher.ask({ type: 'launch', run, service, id: 'a', launch, watch: false, note: null })
    if (answer.type === 'failed') return answer
    return (await launcher.next((message) => message.type === 'exited' && message.run === run)).exit
  }
  const readIt = 'cat /proc/self/fd/5/file'

  test('arrives as a descriptor of it', async () => {
    expect((await launch({ fd: 5, kind: 'path', path: at('models') }, readIt)).lastLines).toEqual(['granted'])
  })

  test.each([
    ['another service', 'models', 'other', /no path that instances of other are given/],
    ['what lies below it', 'models/file', 'api', /no path that instances of api are given/],
    ['a symlink', 'link', 'api', /"link" is a symlink; name what it leads to/],
    ['what others could have put there', 'wide/planted', 'api', /others may write the directory that holds "planted"/],
  ])('is not given to %s', async (_, name, service, message) => {
    const path = at(...name.split('/'))
    const answer = await launch({ fd: 5, kind: 'path', path }, readIt, service)
    expect(answer).toMatchObject({ type: 'failed', code: 'refused', message: expect.stringMatching(message) })
  })

  testAsRoot('is found by tenants although the way to it is barred to them', async () => {
    const path = at('run', 'grants', 'api', 'read0')
    expect((await launch({ fd: 5, kind: 'path', path }, readIt)).lastLines).toEqual(['from a closed place'])
    const script = `cat ${at('private', 'inner', 'file')}; echo x > ${path}/new; cat ${path}/file`
    const { lastLines } = await launch({ fd: 5, kind: 'path', path }, script)
    const said = lastLines.join(' ')
    expect(said).toMatch(/Permission denied.*(Read-only|cannot create|Directory nonexistent)/)
    expect(said).toContain('from a closed place')
  })

  test('gives a secret as the content of its file, and no other name', async () => {
    expect((await launch({ fd: 5, kind: 'secret', name: 'TOKEN' }, 'cat /proc/self/fd/5')).lastLines).toEqual([
      'the secret',
    ])
    expect(await launch({ fd: 5, kind: 'secret', name: 'TOKEN' }, 'true', 'other')).toMatchObject({
      type: 'failed',
      message: 'service other has no secret "TOKEN"',
    })
    expect(await launch({ fd: 5, kind: 'secret', name: 'constructor' }, 'true')).toMatchObject({ type: 'failed' })
    expect(await launch({ fd: 5, kind: 'secret', name: 'ELSEWHERE' }, 'true')).toMatchObject({
      type: 'failed',
      message: expect.stringContaining('is a symlink'),
    })
  })

  test('does not keep the launcher waiting by a secret that is no file', async () => {
    expect(await launch({ fd: 5, kind: 'secret', name: 'PIPE' }, 'true')).toMatchObject({
      type: 'failed',
      message: expect.stringContaining('is not a file'),
    })
  })

  testAsRoot('is not the data directory of another tenant', async () => {
    const data = join(launcher.root, 'data', 'bob')
    mkdirSync(data, { recursive: true })
    const bob = launcher.launchOf({ tenant: 2 }).identity?.uid ?? 0
    chownSync(data, bob, bob)
    expect(await launch({ fd: 5, kind: 'path', path: data }, 'true')).toMatchObject({
      type: 'failed',
      message: expect.stringContaining('no path that instances of api are given'),
    })
    expect(lstatSync(data).uid).toBe(bob)
  })
})

describe('the directory in which an instance makes its socket', () => {
  let launcher: TestLauncher
  beforeEach(async () => {
    launcher = await startTestLauncher()
  })
  afterEach(() => launcher.close())

  testAsRoot('follows no symlink, holds little, and is gone with the run', async () => {
    const run = newRunName()
    const socket = join(launcher.policy.runDir, 'u', run, 'app.sock')
    const directory = join(launcher.policy.runDir, 'u', run)
    const script = `cd ${directory}; ln -s /etc/passwd link; cat link; head -c 1000000 /dev/zero > big; ls -s big; mkdir sub; ln -s sub way; ls way/`
    const launch = launcher.launchOf({
      argv: ['/bin/sh', '-c', script],
      directories: [{ path: directory, mode: 0o2710, owner: 'tenant' }],
      reach: { kind: 'unix', socket },
    })
    await launcher.ask({ type: 'launch', run, service: 'api', id: 'a', launch, watch: false, note: null })
    const { lastLines } = (await launcher.next(({ type }) => type === 'exited')).exit
    expect(lastLines.join('\n')).toMatch(/link: Too many levels of symbolic links/)
    expect(lastLines.join('\n')).toMatch(/No space left on device/)
    expect(lastLines.join('\n')).toMatch(/way\/'?: Too many levels of symbolic links/)
    expect(() => lstatSync(directory)).toThrow('ENOENT')
  })
})
