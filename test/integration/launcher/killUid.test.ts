import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { atKillersTurn } from '../../../src/launcher/killersTurn.ts'
import { killUid } from '../../../src/launcher/libc/killUid.ts'
import { isAlive } from '../../helpers/processes.ts'
import { testAsRoot } from '../../helpers/root.ts'
import { newTenantUids } from '../../helpers/tenantUids.ts'

const sleepAs = async (uid: number) => {
  const child = spawn('/bin/sleep', ['600'], { uid, gid: uid, detached: true, stdio: 'ignore' })
  await once(child, 'spawn')
  return child
}

describe('the end of all processes of a uid', () => {
  testAsRoot("comes to them alone, and leaves the caller root's rights", async () => {
    const { first } = newTenantUids()
    const meant = [await sleepAs(first), await sleepAs(first)]
    const others = [await sleepAs(first + 1), await sleepAs(0)]
    const ends = meant.map((child) => once(child, 'exit'))
    atKillersTurn(() => killUid(first))
    for (const [, signal] of await Promise.all(ends)) expect(signal).toBe('SIGKILL')
    for (const { pid = 0 } of others) expect(isAlive(pid)).toBe(true)
    expect(readFileSync('/proc/thread-self/status', 'latin1')).toMatch(/^Uid:\t0\t0\t0\t0$/m)
    expect(readFileSync('/etc/shadow').length).toBeGreaterThan(0)
    for (const child of others) child.kill('SIGKILL')
  })

  testAsRoot('is brought by several launchers at the same moment, and none of them ends another', async () => {
    const url = (file: string): string => new URL(`../../../dist/launcher/${file}`, import.meta.url).href
    const program = `
      import { atKillersTurn } from '${url('killersTurn.js')}'
      import { killUid } from '${url('libc/killUid.js')}'
      let strokes = 0
      for (const end = Date.now() + 1_000; Date.now() < end; ) atKillersTurn(() => { killUid(${newTenantUids().first}); strokes += 1 })
      process.exitCode = strokes > 0 ? 0 : 1`
    const launchers = [1, 2, 3].map(() => spawn(process.execPath, ['--input-type=module', '--eval', program]))
    const ends = await Promise.all(launchers.map((child) => once(child, 'exit')))
    expect(ends).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ])
  })

  testAsRoot('is refused for root, and for what is no uid', () => {
    for (const uid of [0, -1, 1.5, 0xffff_fffe, 2 ** 32]) expect(() => killUid(uid)).toThrow('EINVAL')
  })
})
