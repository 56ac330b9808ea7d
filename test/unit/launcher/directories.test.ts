import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeDirectories, makeRunDirectory } from '../../../src/launcher/directories.ts'
import type { Policy } from '../../../src/launcher/protocol.ts'
import { isRoot, testAsRoot } from '../../helpers/root.ts'

const server = isRoot ? { uid: 12_345, gid: 12_345 } : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'tenement-places-')))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const policy = (): Policy => ({
  runDir: join(root, 'run'),
  logDir: join(root, 'log'),
  stateDir: join(root, 'state'),
  dataRoots: [join(root, 'data')],
  dataDirs: {},
  codeDirs: [],
  grants: {},
  floors: {},
  ...(isRoot ? { tenantUids: { first: 20_000, last: 20_009 }, serverIdentity: server } : {}),
  log: { maxBytes: 1, files: 1, bytesPerSecond: 1 },
})
const make = (): void => {
  makeRunDirectory(policy())
  makeDirectories(policy())
}
const modeOf = (name: string): string => (statSync(join(root, name)).mode & 0o7777).toString(8)
const holdSomething = (name: string, mode: number): void => {
  mkdirSync(join(root, name), { recursive: true })
  writeFileSync(join(root, name, 'somebody-elses'), '')
  chmodSync(join(root, name), mode)
}

describe('the directories of tenement', () => {
  test('are made so that tenants pass where they must and list nothing, a second time too', () => {
    make()
    make()
    expect(['run', 'run/launcher', 'run/s', 'run/u', 'run/code', 'log', 'state', 'data'].map(modeOf)).toEqual([
      '711',
      '700',
      '710',
      '711',
      '711',
      '750',
      '700',
      '711',
    ])
    expect(statSync(join(root, 'state')).uid).toBe(server.uid)
    expect(statSync(join(root, 'run/s')).gid).toBe(server.gid)
  })

  test('that exist and are empty are put right', () => {
    for (const name of ['run', 'log', 'state', 'data']) mkdirSync(join(root, name), { mode: 0o777 })
    make()
    expect(['run', 'log', 'state', 'data'].map(modeOf)).toEqual(['711', '750', '700', '711'])
  })

  test('that hold something keep the mode they have', () => {
    for (const name of ['log', 'data']) holdSomething(name, 0o755)
    make()
    expect(['log', 'data'].map(modeOf)).toEqual(['755', '755'])
  })

  test('are refused by name, with the reason, where they cannot be made', () => {
    writeFileSync(join(root, 'log'), '')
    mkdirSync(join(root, 'run'))
    const below = { ...policy(), logDir: join(root, 'log', 'below') }
    expect(() => makeDirectories(below)).toThrow(
      /^"[^"]*log\/below" cannot be made: .*; name another directory in \[settings\]/,
    )
  })

  test('are refused when others may write them', () => {
    holdSomething('data', 0o777)
    expect(make).toThrow(/"[^"]*data" has mode 0777, so others may write it/)
    expect(modeOf('data')).toBe('777')
  })

  testAsRoot('are refused when tenants could not pass, or the server not read', () => {
    holdSomething('data', 0o700)
    expect(make).toThrow(/tenants cannot pass through it; chmod o\+x it/)
    chmodSync(join(root, 'data'), 0o755)
    holdSomething('log', 0o700)
    expect(make).toThrow(/the server cannot read it/)
  })

  testAsRoot("are not given to the server when they hold what is somebody else's", () => {
    holdSomething('state', 0o755)
    expect(make).toThrow(/"[^"]*state" belongs to uid 0 and not to uid 12345/)
    expect(statSync(join(root, 'state')).uid).toBe(0)
    chownSync(join(root, 'state'), 1, 1)
    expect(make).toThrow(/belongs to uid 1/)
  })

  test('are refused behind a symlink or in place of a file', () => {
    mkdirSync(join(root, 'elsewhere'))
    symlinkSync(join(root, 'elsewhere'), join(root, 'log'))
    expect(make).toThrow(/is not a directory/)
    rmSync(join(root, 'log'))
    writeFileSync(join(root, 'log'), '')
    expect(make).toThrow()
  })
})
