import { describe, expect, test } from 'vitest'
import { sandbox } from '../../../src/isolation/sandbox/index.ts'
import { optionsOf, plan } from './bubblewrap/plans.ts'

describe('isolation "sandbox"', () => {
  test("never gives the machine's network", async () => {
    await expect(sandbox.prepare({ ...plan, network: 'host' })).rejects.toMatchObject({
      message: expect.stringContaining('notes:alice'),
      fix: expect.stringContaining('service.notes.network'),
    })
    expect(optionsOf(await sandbox.prepare(plan))).toContain('--unshare-net')
  })

  test('never lets an instance make namespaces, whatever its options say', async () => {
    expect(optionsOf(await sandbox.prepare({ ...plan, options: { nested: true } }))).toContain('--disable-userns')
  })

  test('bounds memory, processes, processors and files of a service that says nothing, and needs the first three kept', () => {
    expect(sandbox.defaults.limits).toMatchObject({
      memoryBytes: 536_870_912,
      processes: 256,
      cpus: 1,
      openFiles: 16_384,
    })
    expect(sandbox.needs).toEqual(['user.perTenantUid', 'res.memory', 'res.pids', 'res.cpu', 'syscalls.filtered'])
    expect(sandbox.defaults).toMatchObject({ network: 'private', seccomp: 'default' })
  })

  test('starts nothing without a filter', async () => {
    await expect(sandbox.prepare({ ...plan, filter: undefined })).rejects.toThrow('seccomp')
  })
})
