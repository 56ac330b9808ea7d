import { describe, expect, test } from 'vitest'
import { namespace } from '../../../src/isolation/namespace/index.ts'
import { optionsOf, plan } from './bubblewrap/plans.ts'

describe('isolation "namespace"', () => {
  test("gives the machine's network by default, and one of its own to who asks", async () => {
    expect(namespace.defaults.network).toBe('host')
    const host = await namespace.prepare({ ...plan, network: 'host', options: {} })
    const own = await namespace.prepare({ ...plan, options: {} })
    expect([host, own].map((launch) => optionsOf(launch).includes('--unshare-net'))).toEqual([false, true])
    expect([host, own].map((launch) => launch.expect?.namespaces.includes('net'))).toEqual([false, true])
  })

  test('closes user namespaces behind an instance unless it is to confine parts of itself, which has a profile of its own', async () => {
    const launches = [{}, { nested: false }, { nested: true }].map((options) => namespace.prepare({ ...plan, options }))
    const closed = (await Promise.all(launches)).map((launch) => optionsOf(launch).includes('--disable-userns'))
    expect(closed).toEqual([true, true, false])
    expect(namespace.defaultsFor?.({ nested: true }).seccomp).toBe('nested')
    expect(namespace.defaultsFor?.({}).seccomp).toBe('permissive')
  })

  test('promises nothing that its default network breaks', () => {
    for (const promise of ['net.noLoopback', 'net.noMetadata', 'uds.abstractPrivate'])
      expect(namespace.capabilities).not.toHaveProperty(promise)
  })

  test('starts nothing without a filter', async () => {
    await expect(namespace.prepare({ ...plan, filter: undefined, options: {} })).rejects.toThrow('seccomp')
  })
})
