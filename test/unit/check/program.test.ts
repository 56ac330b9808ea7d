import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { basePath } from '../../../src/check/machine.ts'
import { resolveProgram } from '../../../src/check/program.ts'
import { findBarrier, findProgramBarrier } from '../../../src/check/reachability.ts'

let root = ''
const put = (path: string, content: string, mode: number): string => {
  const file = join(root, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, content)
  chmodSync(file, mode)
  return file
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'tenement-program-'))
  // Others must be able to come as far as here, or everything below would be barred.
  chmodSync(root, 0o755)
  put('first/tool', 'no program', 0o644)
  put('second/tool', '\x7fELF', 0o755)
  put('second/python3', '\x7fELF', 0o755)
  put('app/run', '#!/bin/sh\n', 0o755)
  put('app/env', '#!/usr/bin/env -S tool --flag\n', 0o755)
  put('app/windows', '#!/bin/sh\r\n', 0o755)
  put('app/lost', '#!/usr/bin/env no-such-interpreter\n', 0o755)
  put('app/text', 'x', 0o644)
  mkdirSync(join(root, 'first/folder'))
})
afterAll(() => rmSync(root, { recursive: true }))

const find = (command0: string, path = `relative:${root}/first::${root}/second`) =>
  resolveProgram(command0, { cwd: join(root, 'app'), path })

describe('a program is found', () => {
  it('on the PATH, past what cannot be run', async () => {
    await expect(find('tool')).resolves.toEqual({ program: join(root, 'second/tool') })
  })

  it('relative to cwd when it has a slash, and nowhere else', async () => {
    await expect(find('./run')).resolves.toEqual({ program: join(root, 'app/run') })
    await expect(find('../second/tool')).resolves.toEqual({ program: join(root, 'second/tool') })
    await expect(find('run')).resolves.toMatchObject({
      problem: expect.stringContaining('"run" is not on the PATH of instances ('),
    })
  })

  it('as a script when what runs it is there too', async () => {
    await expect(find('./env')).resolves.toEqual({ program: join(root, 'app/env') })
    await expect(find('./env', '/usr/bin')).resolves.toMatchObject({
      problem: expect.stringContaining('names "tool", which is not on the PATH'),
    })
  })

  it('never in a folder of the PATH that is not absolute', async () => {
    const path = relative(process.cwd(), join(root, 'app'))
    await expect(find('run', path)).resolves.toHaveProperty('problem')
    await expect(find('run', join(root, 'app'))).resolves.toHaveProperty('program')
  })
})

describe('a program that cannot be started is explained', () => {
  it.each([
    ['python', '"python" is not on the PATH of instances', '"python3" is there'],
    ['./text', 'is not executable', 'chmod +x'],
    ['./rnu', 'does not exist', '"./run" is there'],
    ['../first', 'is a directory', 'name the program in it'],
    ['/dev/null', 'is not a regular file', 'name a program'],
    ['./windows', 'names "/bin/sh\\r", which is no program', 'correct the first line'],
    ['./lost', 'names "no-such-interpreter", which is not on the PATH', 'install it'],
    ['folder', 'is a directory', 'name the program in it'],
  ])('%s', async (command0, problem, fix) => {
    await expect(find(command0)).resolves.toMatchObject({
      problem: expect.stringContaining(problem),
      fix: expect.stringContaining(fix),
    })
  })
})

describe('the PATH of instances', () => {
  it('is the usual one, and the folder of the Node that runs tenement', () => {
    expect(basePath('/opt/node/bin/node')).toBe(
      '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/node/bin',
    )
    expect(basePath('/usr/bin/node')).toBe('/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
  })
})

describe('the uid of a tenant', () => {
  it('is barred by the outermost folder that others may not enter', async () => {
    const program = put('closed/inner/open/tool', '\x7fELF', 0o755)
    chmodSync(join(root, 'closed/inner'), 0o700)
    chmodSync(join(root, 'closed'), 0o750)
    await expect(findBarrier(program)).resolves.toBe(join(root, 'closed'))
    chmodSync(join(root, 'closed'), 0o711)
    await expect(findBarrier(program)).resolves.toBe(join(root, 'closed/inner'))
    chmodSync(join(root, 'closed/inner'), 0o711)
    await expect(findBarrier(program)).resolves.toBeUndefined()
  })

  it('is not barred by folders that are not there yet', async () => {
    await expect(findBarrier(join(root, 'later/still/later'))).resolves.toBeUndefined()
  })

  it('is not barred from a program in cwd by the folders above cwd', async () => {
    const program = put('private/code/bin/tool', '\x7fELF', 0o755)
    chmodSync(join(root, 'private'), 0o700)
    await expect(findProgramBarrier(program, join(root, 'private/code'))).resolves.toBeUndefined()
    await expect(findProgramBarrier(program, join(root, 'app'))).resolves.toBe(join(root, 'private'))
    chmodSync(join(root, 'private/code/bin'), 0o700)
    await expect(findProgramBarrier(program, join(root, 'private/code'))).resolves.toBe(join(root, 'private/code/bin'))
  })

  it('is barred from a program in cwd that is a link to a private place', async () => {
    put('secret/python', '\x7fELF', 0o755)
    chmodSync(join(root, 'secret'), 0o700)
    symlinkSync(join(root, 'secret/python'), join(root, 'app/python'))
    await expect(findProgramBarrier(join(root, 'app/python'), join(root, 'app'))).resolves.toBe(join(root, 'secret'))
  })

  it('is barred by a program only its owner may run', async () => {
    const program = put('second/mine', '\x7fELF', 0o700)
    await expect(findProgramBarrier(program, join(root, 'app'))).resolves.toBe(program)
  })
})
