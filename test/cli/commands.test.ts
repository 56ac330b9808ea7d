import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest'
import { TenementError } from '../../src/errors.ts'
import { waitUntil } from '../helpers/waitUntil.ts'
import {
  carol,
  instanceAccount,
  instanceStatus,
  type RunningControl,
  type ScriptedOperations,
  scriptedOperations,
  startControl,
} from '../unit/control/scripted.ts'
import { type Ended, openCommandLine, type Tenement } from './tenement.ts'

let tenement: Tenement
let control: RunningControl
let operations: ScriptedOperations
let config: string

beforeAll(async () => {
  tenement = await openCommandLine()
}, 120_000)
afterAll(async () => {
  await tenement.remove()
})
afterEach(async () => {
  await control.close()
})

const serve = async (instances = [instanceStatus(carol)], differences: Partial<ScriptedOperations> = {}) => {
  operations = { ...scriptedOperations(instances), ...differences }
  control = await startControl({ operations })
  config = join(control.directory, 'tenement.toml')
  await writeFile(config, '[settings]\nrun_dir = "."\n')
}

const run = (...args: readonly string[]): Promise<Ended> => tenement.run(['--config', config, ...args])

const printed = (stdout: string, code = 0): Ended => ({ code, signal: null, stdout, stderr: '' })

const ready = instanceStatus({ service: 'web', id: 'main' }, { phase: 'ready', pid: 4101, uptimeMs: 200_000 })

describe('tenement ps', () => {
  it('prints one line per instance below its headings', async () => {
    await serve([instanceStatus(carol), ready])
    expect(await run('ps')).toEqual(
      printed(
        'INSTANCE   PHASE   PID   UPTIME  IDLE  RESTARTS  MEMORY  REQUESTS  ADDRESS\n' +
          'api:carol  asleep  -     -       -     0         -       0         carol.api.localhost:8080\n' +
          'web:main   ready   4101  3m      -     0         -       0         main.web.localhost:8080\n',
      ),
    )
  })

  it('prints names alone with -q, those of one service or one phase when asked', async () => {
    await serve([instanceStatus(carol), ready])
    expect(await run('ps', '-q')).toEqual(printed('api:carol\nweb:main\n'))
    expect(await run('ps', '-q', 'web')).toEqual(printed('web:main\n'))
    expect(await run('ps', '-q', '--phase', 'asleep')).toEqual(printed('api:carol\n'))
  })

  it('prints for programs every key of every instance, numbers as numbers', async () => {
    await serve([ready])
    const { stdout, stderr, code } = await run('ps', '--json')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(JSON.parse(stdout)).toEqual([ready])
  })

  it('says what to do when there is nothing to list, and lists nothing', async () => {
    await serve([])
    const told = await run('ps')
    expect(told).toMatchObject({ code: 0, stdout: '' })
    expect(told.stderr).toMatch(/^there are no instances yet\n→ .*tenement add api:carol\n$/)
    expect(await run('ps', '-q')).toEqual(printed(''))
    expect(await run('ps', '--json')).toEqual(printed('[]\n'))
  })

  it('names the service that was meant by one of which there is no instance', async () => {
    await serve([instanceStatus(carol), ready])
    expect((await run('ps', 'wbe')).stderr).toBe('there are no instances of "wbe"\n→ did you mean "web"?\n')
    expect((await run('ps', 'payroll')).stderr).toContain('→ all there are: tenement ps')
  })

  it('does not know a phase that there is not, and says which there are', async () => {
    await serve()
    const told = await run('ps', '--phase', 'floating')
    expect(told).toMatchObject({ code: 2, stdout: '' })
    expect(told.stderr).toContain('crashlooped')
  })
})

describe('tenement status', () => {
  it.each([
    ['starting', 0],
    ['ready', 0],
    ['draining', 0],
    ['stopping', 0],
    ['asleep', 3],
    ['queued', 3],
    ['backoff', 3],
    ['crashlooped', 3],
    ['paused', 3],
    ['disabled', 3],
  ] as const)('of an instance that is %s exits with %i', async (phase, code) => {
    await serve([instanceStatus(carol, { phase })])
    const told = await run('status', 'api:carol')
    expect(told.code).toBe(code)
    expect(told.stdout).toMatch(new RegExp(`^phase: +${phase}$`, 'm'))
  })

  it('of an instance that is not there exits with 4 and says how to add it', async () => {
    await serve()
    expect(await run('status', 'api:dave')).toEqual({
      code: 4,
      signal: null,
      stdout: '',
      stderr: 'error: there is no instance api:dave (unknown_instance)\n→ tenement add api:dave\n',
    })
  })

  it('prints for programs exactly what the server said', async () => {
    await serve([ready])
    const { stdout, code } = await run('status', 'web:main', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual(ready)
  })
})

describe('tenement why', () => {
  it('prints sentences, and for programs what the server said', async () => {
    await serve()
    const told = await run('why', 'api:carol')
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toMatch(/^api:carol is asleep: nobody has asked for it since /)
    expect(told.stdout).toContain('nothing happens until a request comes, or: tenement wake api:carol\n')
    const { stdout } = await run('why', 'api:carol', '--json')
    expect(JSON.parse(stdout)).toEqual(instanceAccount('api:carol'))
  })

  it('names the instance that was meant by one that is not there', async () => {
    await serve()
    expect(await run('why', 'api:carl')).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: 'error: there is no instance api:carl (unknown_instance)\n→ did you mean "api:carol"?\n',
    })
  })
})

describe('tenement open', () => {
  it('prints the address, and starts the browser of a person who sits at this machine', async () => {
    await serve()
    const url = 'http://carol.api.localhost:8080/'
    const seen = join(control.directory, 'seen')
    const browser = join(control.directory, 'browser')
    await writeFile(browser, `#!/bin/sh\nprintf '%s' "$*" > ${seen}.new && mv ${seen}.new ${seen}\n`, { mode: 0o755 })
    const at = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
      expect(await tenement.run(['--config', config, 'open', 'api:carol', ...args], { env })).toEqual(
        printed(`${url}\n`),
      )
    }
    const desktop = { DISPLAY: ':0', BROWSER: browser }
    await at(['--print'], desktop)
    await at([], { ...desktop, SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' })
    await at([], { BROWSER: browser })
    await expect(readFile(seen)).rejects.toThrow('ENOENT')
    await at([], desktop)
    await waitUntil(() => existsSync(seen))
    expect(await readFile(seen, 'utf8')).toBe(url)
  })

  it('tells programs the address, and why there will be no answer on this machine', async () => {
    await serve([instanceStatus(carol, { refused: 'no memory limit here' })])
    const told = await run('open', 'api:carol', '--json')
    expect(JSON.parse(told.stdout)).toEqual({ instance: 'api:carol', url: 'http://carol.api.localhost:8080/' })
    expect(told.stderr).toContain('api:carol cannot run on this machine: no memory limit here')
  })
})

describe('tenement events and wait', () => {
  it('do not wait for what could never come: an instance that is not there, a name that is none, a time that is none', async () => {
    await serve()
    const meant = { code: 1, stderr: expect.stringContaining('did you mean "api:carol"?') }
    expect(await run('events', 'api:carl')).toMatchObject(meant)
    expect(await run('wait', 'api:carl', '--for', 'ready')).toMatchObject(meant)
    expect(await run('events', 'API')).toMatchObject({ code: 2, stderr: expect.stringContaining('(invalid_name)') })
    for (const timeout of ['soon', '25h'])
      expect(await run('wait', 'api:carol', '--for', 'ready', '--timeout', timeout)).toMatchObject({
        code: 2,
        stderr: `error: --timeout "${timeout}" must be a duration such as "30s" or "5m", at most "24h" (usage)\n→ write --timeout 2m\n`,
      })
  })
})

test('tenement events names the service that was meant by one without an instance, and waits for it all the same', async () => {
  await serve()
  const child = tenement.start(['--config', config, 'events', 'apo'])
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
  let told = ''
  for await (const chunk of child.stderr ?? []) {
    told += String(chunk)
    if (told.endsWith('?\n')) child.kill('SIGINT')
  }
  expect(told).toBe('there are no instances of "apo"\n→ did you mean "api"?\n')
  expect(await ended).toEqual({ code: null, signal: 'SIGINT' })
})

describe('progress of an order', () => {
  /** Waits for somebody to ask how it is getting on, twice; not for ever, as there may be nobody who wants to know. */
  const serveSlowly = async () => {
    const asked = { times: 0 }
    await serve([instanceStatus(carol)], {
      why: () => {
        asked.times += 1
        return instanceAccount('api:carol', { phase: 'starting' })
      },
      wake: async () => {
        await waitUntil(() => asked.times >= 2, 1_500).catch(() => undefined)
        return instanceStatus(carol, { phase: 'ready' })
      },
    })
    return asked
  }
  const erased = '\r\u001b[K'

  it('is shown on a terminal, and cleared before the outcome', async () => {
    await serveSlowly()
    const told = await tenement.onTerminal(['--config', config, 'wake', 'api:carol'])
    expect(told.code).toBe(0)
    const shown = told.stdout.split(erased)
    expect(shown[1]).toMatch(/^api:carol is starting, \S+s$/)
    expect(shown.at(-1)).toMatch(/^api:carol is ready after \S+s\r\n$/)
  })

  it.each([
    ['with --json', ['--json'], {}],
    ['in a CI', [], { CI: 'true' }],
    ['on a dumb terminal', [], { TERM: 'dumb' }],
  ])('is neither shown nor asked for %s', async (_, args, env) => {
    const asked = await serveSlowly()
    const told = await tenement.onTerminal(['--config', config, 'wake', 'api:carol', ...args], '', { env })
    expect(told.code).toBe(0)
    expect(told.stdout).not.toContain(erased)
    expect(asked.times).toBe(0)
  })

  it('is neither shown nor asked for on a pipe', async () => {
    const asked = await serveSlowly()
    expect(await run('wake', 'api:carol')).toMatchObject({ code: 0, stderr: '' })
    expect(asked.times).toBe(0)
  })
})

describe('tenement explain', () => {
  it('tells each meaning of a word, why it comes about and what to do, without a config or a server', async () => {
    const told = await tenement.run(['explain', 'backoff'], { env: { TENEMENT_CONFIG: '/absent' } })
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toMatch(/^backoff \(answer 503\): .+\n {2}It crashed.+\n(?: {2}→ .+\n)+\nbackoff \(phase\): /)
  })

  it('lists every word where none is given, and as JSON for programs', async () => {
    const { stdout } = await tenement.run(['explain'])
    const { stdout: json } = await tenement.run(['explain', '--json'])
    const words = JSON.parse(json).map(({ code }: { code: string }) => code)
    expect(words).toEqual(expect.arrayContaining(['crashloop', 'draining', 'too_exposed']))
    expect(
      stdout
        .split('\n')
        .slice(1, -1)
        .map((line) => line.split(' ')[0]),
    ).toEqual(words)
  })

  it('offers the word that was probably meant', async () => {
    const told = await tenement.run(['explain', 'crashlop'])
    expect(told).toMatchObject({ code: 2, stdout: '' })
    expect(told.stderr).toContain('did you mean "crashloop"?')
    expect((await tenement.run(['explain', 'nonsense'])).stderr).toContain('tenement explain lists every word')
  })
})

describe('an order to an instance', () => {
  it.each([
    ['wake', 'ready'],
    ['stop', 'asleep'],
    ['restart', 'ready'],
    ['enable', 'asleep'],
    ['disable', 'disabled'],
    ['pause', 'paused'],
    ['resume', 'asleep'],
  ])('%s is carried out, and its outcome told in one line with the time it took', async (verb, phase) => {
    await serve()
    const told = await run(verb, 'api:carol')
    expect(told).toMatchObject({ code: 0, stderr: '' })
    expect(told.stdout).toMatch(new RegExp(`^api:carol is ${phase} after \\d+(\\.\\d)?m?s\\n$`))
    expect(operations.calls).toEqual([`${verb} api:carol`])
  })

  it('that fails tells why on stderr, with code 1', async () => {
    const wake = async () => {
      throw new TenementError('start_failed', 'api:carol exited with code 3 after 12ms', {
        fix: 'tenement logs api:carol',
      })
    }
    await serve([instanceStatus(carol)], { wake })
    expect(await run('wake', 'api:carol')).toEqual({
      code: 1,
      signal: null,
      stdout: '',
      stderr: 'error: api:carol exited with code 3 after 12ms (start_failed)\n→ tenement logs api:carol\n',
    })
  })

  it('tells programs of its failure in JSON, on stderr', async () => {
    await serve()
    const { stdout, stderr, code } = await run('stop', 'api:dave', '--json')
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 })
    expect(JSON.parse(stderr)).toEqual({
      code: 'unknown_instance',
      message: 'there is no instance api:dave',
      fix: 'tenement add api:dave',
    })
  })

  it.each(['carol', 'api:', 'api:Carol', 'api:../x', 'api:a:b', ''])(
    'is not given to %j, which names none',
    async (name) => {
      await serve()
      const told = await run('stop', name)
      expect(told).toMatchObject({ code: 2, stdout: '' })
      expect(told.stderr).toContain('(invalid_name)')
      expect(operations.calls).toEqual([])
    },
  )
})

describe('tenement add', () => {
  it('prints the address to try', async () => {
    await serve()
    expect(await run('add', 'api:dave')).toEqual(
      printed('added api:dave\n→ try it: curl http://dave.api.localhost:8080/\n'),
    )
  })

  it('of an instance that is there already fails', async () => {
    await serve()
    expect(await run('add', 'api:carol')).toMatchObject({ code: 1, stdout: '' })
  })
})

describe('tenement remove', () => {
  it('says where the data stays', async () => {
    await serve()
    expect(await run('remove', 'api:carol')).toEqual(
      printed('removed api:carol; its data stays in /data/carol\n→ to use it again: tenement add api:carol\n'),
    )
    expect(operations.calls).toEqual(['remove api:carol keep'])
  })

  it('deletes no data without --yes where there is nobody to ask', async () => {
    await serve()
    const told = await run('remove', 'api:carol', '--purge')
    expect(told).toMatchObject({ code: 2, stdout: '' })
    expect(told.stderr).toContain('--yes')
    expect(operations.calls).toEqual([])
  })

  it('deletes the data with --purge --yes', async () => {
    await serve()
    expect(await run('remove', 'api:carol', '--purge', '--yes')).toEqual(
      printed('removed api:carol and its data in /data/carol\n'),
    )
    expect(operations.calls).toEqual(['remove api:carol purge'])
  })

  it.each([
    ['y\n', 0, ['remove api:carol purge']],
    ['n\n', 1, []],
    ['\n', 1, []],
  ])('asks a person before it deletes, and takes %j for an answer', async (typed, code, calls) => {
    await serve()
    const told = await tenement.onTerminal(['--config', config, 'remove', 'api:carol', '--purge'], typed)
    expect(told.stdout).toContain('delete everything in "/data/carol"? [y/N]')
    expect(told.code).toBe(code)
    expect(operations.calls).toEqual(calls)
  })
})

describe('tenement logs', () => {
  const write = async (text: string | Buffer): Promise<void> => {
    await mkdir(join(control.logDir, 'api'), { recursive: true })
    await writeFile(join(control.logDir, 'api/carol.log'), text, { flag: 'a' })
  }
  const at = '2026-11-23T18:15:54.123Z'

  it('prints the last lines, and with -t their time and stream', async () => {
    await serve()
    await write(`${at} out one\n${at} err two\n${at} log 3 lines dropped\n`)
    expect(await run('logs', 'api:carol', '-n', '2')).toEqual(printed('two\n[tenement] 3 lines dropped\n'))
    expect(await run('logs', 'api:carol', '-t', '-n', '3')).toEqual(
      printed(`${at} out one\n${at} err two\n${at} log [tenement] 3 lines dropped\n`),
    )
  })

  it('passes on to a program the bytes as they were written, and escapes them on a terminal', async () => {
    await serve()
    await write(`${at} out \u001b]0;title\u0007\n`)
    expect((await run('logs', 'api:carol')).stdout).toBe('\u001b]0;title\u0007\n')
    const shown = await tenement.onTerminal(['--config', config, 'logs', 'api:carol'])
    expect(shown.stdout).toContain('\\u001b]0;title\\u0007')
    expect(shown.stdout).not.toContain('\u0007')
    const raw = await tenement.onTerminal(['--config', config, 'logs', 'api:carol', '--raw'])
    expect(raw.stdout).toContain('\u001b]0;title\u0007')
  })

  it('prints one JSON document per line for programs', async () => {
    await serve()
    await write(Buffer.concat([Buffer.from(`${at} out one\n${at} err `), Buffer.from([0xff]), Buffer.from('\n')]))
    const { stdout } = await run('logs', 'api:carol', '--json')
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { at, stream: 'out', text: 'one', base64: null },
      { at, stream: 'err', text: '\ufffd', base64: '/w==' },
    ])
  })

  it('goes on with new lines until ctrl-C', async () => {
    await serve()
    await write(`${at} out one\n`)
    const child = tenement.start(['--config', config, 'logs', '-f', 'api:carol'])
    const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
    let received = ''
    for await (const chunk of child.stdout ?? []) {
      received += String(chunk)
      if (received === 'one\n') await write(`${at} out two\n`)
      if (received === 'one\ntwo\n') child.kill('SIGINT')
    }
    expect(received).toBe('one\ntwo\n')
    // A shell tells this end as 130.
    expect(await ended).toEqual({ code: null, signal: 'SIGINT' })
  })

  it('says so when nothing was ever written', async () => {
    await serve()
    expect(await run('logs', 'api:carol')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'api:carol has written nothing yet\n',
    })
  })

  it.each(['-5', 'x', '1e3', '99999999'])('does not take %j for a number of lines', async (count) => {
    await serve()
    expect(await run('logs', 'api:carol', `--lines=${count}`)).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('tenement version', () => {
  it('says when the server still runs another version', async () => {
    await serve()
    const { stdout } = await run('version', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ server: '0.1.0', node: process.version })
  })
})
