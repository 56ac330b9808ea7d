import { describe, expect, it } from 'vitest'
import { commands, groups } from '../../../src/cli/commands.ts'
import { complete } from '../../../src/cli/completion/complete.ts'

const asked: (string | undefined)[] = []
const options = {
  commands,
  groups,
  names: async (config: string | undefined) => {
    asked.push(config)
    return ['api:carol', 'api:dave', 'web:main']
  },
  profiles: async () => ['default', 'strict'],
  codes: async () => ['backoff', 'crashloop'],
}

const values = async (...words: readonly string[]): Promise<unknown> => {
  const found = await complete(words, options)
  return found === 'files' ? found : found.map(({ value }) => value)
}

describe('what is completed', () => {
  it.each([
    [['sta'], ['status']],
    [['conf'], ['config']],
    [
      ['config', ''],
      ['show', 'schema'],
    ],
    [['seccomp', 'li'], ['lint']],
    [
      ['status', ''],
      ['api:carol', 'api:dave', 'web:main'],
    ],
    [['status', 'api:c'], ['api:carol']],
    [['status', 'api:carol', ''], []],
    [['logs', '-f', 'w'], ['web:main']],
    [['logs', '-n', ''], []],
    [['logs', '-n', '5', 'w'], ['web:main']],
    [
      ['ps', ''],
      ['api', 'web'],
    ],
    [
      ['events', 'a'],
      ['api', 'api:carol', 'api:dave'],
    ],
    [['ps', '--ph'], ['--phase']],
    [['ps', '--phase', 're'], ['ready']],
    [['ps', '--phase=re'], ['--phase=ready']],
    [['ps', '--phase=re', 'a'], ['api']],
    [['explain', 'cr'], ['crashloop']],
    [['seccomp', 'diff', 'strict', 'd'], ['default']],
    [['trace', 'api:carol', '--base', 's'], ['strict']],
    [['--config', 'x.toml', 'sto'], ['stop']],
    [['completion', 'z'], ['zsh']],
    [['init', '--isolation', 's'], ['sandbox']],
    [['--config', ''], 'files'],
    [['init', ''], 'files'],
    [['seccomp', 'lint', './'], 'files'],
    [['trace', 'api:carol', '-o', ''], 'files'],
    [['no-such-command', ''], []],
    [['constructor', ''], []],
    [['config', 'constructor', '--proto'], []],
  ])('of %j is %j', async (words, expected) => {
    expect(await values(...words)).toEqual(expected)
  })

  it('offers every command there is, and every flag of one', async () => {
    const offered = await values('')
    for (const { name } of commands) expect(offered).toContain(name.split(' ')[0])
    expect(await values('logs', '-')).toEqual(
      expect.arrayContaining(['-f', '--follow', '-n', '--lines', '--raw', '--json', '--config', '--help']),
    )
  })

  it('asks the server of the config that was named, and only where an instance may stand', async () => {
    asked.length = 0
    await values('ps', '--phase', '')
    await values('sto')
    expect(asked).toEqual([])
    await values('--config=a.toml', 'stop', '')
    await values('-c', 'b.toml', 'stop', '')
    expect(asked).toEqual(['a.toml', 'b.toml'])
  })
})
