import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect } from 'vitest'
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
    killUid(first)
    for (const [, signal] of await Promise.all(ends)) expect(signal).toBe('SIGKILL')
    for (const { pid = 0 } of others) expect(isAlive(pid)).toBe(true)
    expect(readFileSync('/proc/thread-self/status', 'latin1')).toMatch(/^Uid:\t0\t0\t0\t0$/m)
    expect(readFileSync('/etc/shadow').length).toBeGreaterThan(0)
    for (const child of others) child.kill('SIGKILL')
  })

  testAsRoot('is refused for root, and for what is no uid', () => {
    for (const uid of [0, -1, 1.5, 0xffff_fffe, 2 ** 32]) expect(() => killUid(uid)).toThrow('EINVAL')
  })
})
