import { execFileSync } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  carol,
  instanceStatus,
  type RunningControl,
  scriptedOperations,
  startControl,
} from '../unit/control/scripted.ts'
import { type Ended, openCommandLine, type Tenement } from './tenement.ts'

let tenement: Tenement
let control: RunningControl
let bin: string
let env: Readonly<Record<string, string>>

beforeAll(async () => {
  tenement = await openCommandLine()
  bin = join(tenement.home, 'bin')
  await mkdir(bin)
  await writeFile(join(bin, 'tenement'), `#!/bin/sh\nexec '${process.execPath}' '${tenement.main}' "$@"\n`)
  await chmod(join(bin, 'tenement'), 0o755)
}, 120_000)
afterAll(async () => {
  await tenement.remove()
})
beforeEach(async () => {
  control = await startControl({
    operations: scriptedOperations([instanceStatus(carol), instanceStatus({ service: 'web', id: 'main' })]),
  })
  await writeFile(join(control.directory, 'tenement.toml'), '[settings]\nrun_dir = "."\n')
  await writeFile(join(control.directory, 'report.html'), '')
  env = { PATH: `${bin}:${process.env.PATH ?? ''}`, TENEMENT_CONFIG: join(control.directory, 'tenement.toml') }
})
afterEach(async () => {
  await control.close()
})

const has = (shell: string): boolean => {
  try {
    execFileSync(shell, ['-c', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

const lines = ({ stdout }: Ended): readonly string[] => stdout.split(/\r?\n/).filter((line) => line !== '')

/** What the function that is registered for the command leaves in COMPREPLY for each line, which ends under the cursor. */
const inBash = async (
  typed: readonly string[],
  differences: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> => {
  const each = typed.map(
    (line) => `COMP_LINE=${quote(line)} COMP_POINT=${line.length}; _tenement; printf '%s\\n' "\${COMPREPLY[*]}"`,
  )
  const script = ['source <(tenement completion bash)', 'complete -p tenement | grep -q _tenement', ...each].join('\n')
  const told = await tenement.shell(`bash -c ${quote(script)}`, {
    cwd: control.directory,
    env: { ...env, ...differences },
  })
  expect(told).toMatchObject({ code: 0, stderr: '' })
  return told.stdout.split('\n').slice(0, -1)
}

describe('in bash', () => {
  it('commands, flags, choices, instances and files are completed, and of a name what is behind its colon, where readline divides it', async () => {
    const typed = [
      'tenement sta',
      'tenement ps --phase rea',
      'tenement ps --phase=rea',
      'tenement stop ',
      'tenement stop api:c',
      'tenement check --attack --html re',
    ]
    expect(await inBash(typed)).toEqual(['status', 'ready', 'ready', 'api:carol web:main', 'carol', 'report.html'])
  }, 60_000)

  it('nothing is said where no server answers', async () => {
    const nowhere = { TENEMENT_CONFIG: '/absent/tenement.toml', XDG_RUNTIME_DIR: '/absent' }
    expect(await inBash(['tenement stop ', 'tenement no-such-command '], nowhere)).toEqual(['', ''])
  }, 60_000)

  it('a person who presses tab gets the rest of the line', async () => {
    const typed = 'source <(tenement completion bash)\ntenement stat\tapi:c\t\nexit\n'
    const told = await tenement.inTerminal('bash --norc --noprofile -i', typed, { env: { ...env, NO_COLOR: '1' } })
    expect(told.stdout).toMatch(/instance: +api:carol/)
  }, 60_000)
})

describe('in zsh', () => {
  it.skipIf(!has('zsh'))(
    'a person who presses tab gets the rest of the line (skipped where there is no zsh)',
    async () => {
      const typed = [
        'autoload -Uz compinit; compinit -D -u; source <(tenement completion zsh)',
        'tenement stat\tapi:c\t',
        `tenement seccomp lint ${control.directory}/repo\t`,
        'exit\n',
      ].join('\n')
      const told = await tenement.inTerminal('zsh -f -i', typed, { env: { ...env, NO_COLOR: '1' } })
      expect(told.stdout).toMatch(/instance: +api:carol/)
      expect(told.stdout).toContain(`error: ${control.directory}/report.html: this is not JSON`)
    },
    60_000,
  )
})

describe('in fish', () => {
  it.skipIf(!has('fish'))('commands, instances and files are completed (skipped where there is no fish)', async () => {
    const completed = async (line: string): Promise<readonly string[]> => {
      const script = `tenement completion fish | source; complete -C ${quote(line)}`
      return lines(await tenement.shell(`fish --no-config -c ${quote(script)}`, { cwd: control.directory, env }))
    }
    expect(await completed('tenement sta')).toEqual(['status\tShow one instance in full'])
    expect(await completed('tenement stop api:')).toEqual(['api:carol'])
    expect(await completed('tenement check --html re')).toEqual(['report.html'])
  })
})

it('what a server calls an instance reaches a shell only where it is a name', async () => {
  await control.close()
  control = await startControl({
    operations: { ...scriptedOperations([]), names: () => ['api:carol', 'api:$(touch x)', 'x\ty:z'] },
  })
  await writeFile(join(control.directory, 'tenement.toml'), '[settings]\nrun_dir = "."\n')
  const told = await tenement.run(['completion', 'bash', '--', 'stop', ''], {
    env: { TENEMENT_CONFIG: join(control.directory, 'tenement.toml') },
  })
  expect(told).toMatchObject({ code: 0, stdout: 'api:carol\n', stderr: '' })
})
