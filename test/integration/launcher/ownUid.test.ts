// Which uid an instance may run as, when the server that says so was taken over.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Launch } from '../../../src/isolation/adapter.ts'
import {
  type Message,
  makeTemporaryDirectory,
  newRunName,
  startTestLauncher,
  type TestLauncher,
} from '../../helpers/launcher.ts'
import { testAsRoot, testAsUser } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/waitUntil.ts'

const statusOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1')
  } catch {
    return '' // gone
  }
}

describe('a server that was taken over', () => {
  let root: string
  let launcher: TestLauncher
  beforeEach(async () => {
    root = makeTemporaryDirectory()
    launcher = await startTestLauncher({
      root,
      policy: {
        floors: { api: {}, web: {} },
        dataDirs: { api: [join(root, 'data', 'api-'), '/files'], web: [join(root, 'data', 'web', '/'), ''] },
      },
    })
  })
  afterEach(() => launcher.close())

  const launch = (tenant: number, service: string, id: string, over: Partial<Launch> = {}): Promise<Message> =>
    launcher.ask({
      ...{ type: 'launch', run: newRunName(), service, id, launch: launcher.launchOf({ tenant, ...over }) },
      ...{ watch: false, note: null },
    })
  const uidOf = (tenant: number): number => launcher.launchOf({ tenant }).identity?.uid ?? 0
  const makeData = (path: string, tenant: number): string => {
    const directory = join(root, 'data', path)
    mkdirSync(directory, { recursive: true, mode: 0o711 })
    writeFileSync(join(directory, 'diary'), 'private', { mode: 0o600 })
    chownSync(directory, uidOf(tenant), uidOf(tenant))
    return directory
  }

  testAsRoot('cannot start a new instance as the uid of one that sleeps, of its own service or another', async () => {
    const bob = makeData('api-bob/files', 2)
    const carol = makeData('web/carol', 3)
    expect(await launch(2, 'web', 'alice')).toMatchObject({ code: 'refused', message: expect.stringContaining(bob) })
    expect(await launch(2, 'api', 'alice')).toMatchObject({ code: 'refused', message: expect.stringContaining(bob) })
    expect(await launch(3, 'api', 'alice')).toMatchObject({ code: 'refused', message: expect.stringContaining(carol) })
    expect(await launch(1, 'api', 'alice')).toMatchObject({ type: 'reply' })
  })

  testAsRoot('cannot start an instance that has data as any uid but its own', async () => {
    makeData('api-bob/files', 2)
    expect(await launch(4, 'api', 'bob')).toMatchObject({
      code: 'refused',
      message: expect.stringContaining(`belongs to uid ${uidOf(2)}`),
    })
    expect(await launch(2, 'api', 'bob')).toMatchObject({ type: 'reply' })
  })

  testAsRoot('may give a uid again once the data of its instance is gone', async () => {
    const bob = makeData('api-bob/files', 2)
    rmSync(bob, { recursive: true })
    expect(await launch(2, 'web', 'alice')).toMatchObject({ type: 'reply' })
  })

  testAsRoot('cannot start an instance beside a process of its uid that no run has', async () => {
    const stray = spawn('/bin/sleep', ['60'], { uid: uidOf(5), gid: uidOf(5), stdio: 'ignore' })
    await once(stray, 'spawn')
    expect(await launch(5, 'web', 'alice')).toMatchObject({
      code: 'refused',
      message: expect.stringContaining('still has a process'),
    })
    stray.kill('SIGKILL')
    await once(stray, 'exit')
    expect(await launch(5, 'web', 'alice')).toMatchObject({ type: 'reply' })
  })

  testAsRoot('is not kept from a start by a zombie of its uid, which can do nothing', async () => {
    const uid = uidOf(6)
    const script = `setpriv --reuid ${uid} --regid ${uid} --clear-groups true & exec sleep 60`
    const parent = spawn('/bin/sh', ['-c', script], { stdio: 'ignore' })
    const isZombie = (pid: string): boolean => /^State:\tZ[\s\S]*^Uid:\t(\d+)/m.exec(statusOf(pid))?.[1] === String(uid)
    await waitUntil(() => readdirSync('/proc').some((name) => /^\d+$/.test(name) && isZombie(name)))
    expect(await launch(6, 'web', 'alice')).toMatchObject({ type: 'reply' })
    parent.kill('SIGKILL')
    await once(parent, 'exit')
  })

  testAsUser('runs all instances as one uid without root', async () => {
    mkdirSync(join(root, 'data', 'api-bob', 'files'), { recursive: true })
    expect(await launch(1, 'web', 'alice')).toMatchObject({ type: 'reply' })
  })

  test('cannot be held up by a data folder that is not there', async () => {
    rmSync(join(root, 'data'), { recursive: true, force: true })
    expect(await launch(1, 'web', 'alice')).toMatchObject({ type: 'reply' })
  })
})
