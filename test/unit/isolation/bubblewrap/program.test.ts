import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bubblewrapLaunch } from '../../../../src/isolation/bubblewrap/launch.ts'
import {
  installCommand,
  missingOptions,
  problemWithProgram,
  usedOptions,
} from '../../../../src/isolation/bubblewrap/program.ts'
import { layout, optionsOf, plan } from './plans.ts'

describe('bubblewrap itself', () => {
  let root = ''
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'tenement-bwrap-'))
  })
  afterAll(() => rmSync(root, { recursive: true }))

  const fake = (name: string, help: readonly string[]): string => {
    const path = join(root, name)
    const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo bubblewrap 0.4.1; exit; fi\ncat <<'END'\n${help.map((option) => `    ${option} X   does so`).join('\n')}\nEND\n`
    writeFileSync(path, script, { mode: 0o755 })
    return path
  }

  test('that is missing is to be installed', async () => {
    expect(await problemWithProgram(join(root, 'none'))).toMatchObject({
      reason: expect.stringContaining('not installed'),
      fix: expect.stringContaining('bubblewrap'),
    })
  })

  test('that lacks an option is too old, and the option is named', async () => {
    const old = usedOptions.filter((option) => option !== '--disable-userns' && option !== '--ro-bind-fd')
    expect((await problemWithProgram(fake('old', old)))?.reason).toContain(
      'bubblewrap 0.4.1 at '.concat(join(root, 'old'), ' is too old: it has no --disable-userns, --ro-bind-fd'),
    )
  })

  test('that has them all is taken, whatever its version', async () => {
    expect(await problemWithProgram(fake('patched', usedOptions))).toBeUndefined()
  })

  test('that says nothing of a longer option does not pass for one with the shorter', () => {
    expect(missingOptions(usedOptions.filter((option) => option !== '--bind-fd').join('\n'))).toEqual(['--bind-fd'])
  })

  test('is asked for every option that a launch uses', () => {
    const launch = bubblewrapLaunch(plan, { layout, isNested: false, tmpBytes: 4_096 })
    const used = ['--args', ...optionsOf(launch).filter((option) => option.startsWith('--'))]
    expect(used.filter((option) => !usedOptions.includes(option))).toEqual([])
  })

  test.each([
    ['ID=debian\n', 'apt-get install bubblewrap'],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'apt-get install bubblewrap'],
    ['NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\n', 'dnf install bubblewrap'],
    ['ID=alpine\n', 'apk add bubblewrap'],
    ['ID=arch\n', 'pacman -S bubblewrap'],
    ['ID=opensuse-leap\nID_LIKE="suse opensuse"\n', 'zypper install bubblewrap'],
    ['ID=toString\n', 'install the package bubblewrap of your distribution'],
    ['', 'install the package bubblewrap of your distribution'],
  ])('on %j is installed by %j', (osRelease, command) => {
    expect(installCommand(osRelease, 'bubblewrap')).toBe(command)
  })
})
