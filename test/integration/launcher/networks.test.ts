import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { testAsRoot } from '../../helpers/root.ts'

const dist = fileURLToPath(new URL('../../../dist/launcher/', import.meta.url))

/** Runs a module's text in a process of its own, in a network namespace of its own. */
const inOwnProcess = (script: string) =>
  spawnSync('/usr/bin/unshare', ['--net', process.execPath, '--input-type=module', '-e', script], { encoding: 'utf8' })

const setUp = `
  import { closeSync, openSync, readlinkSync } from 'node:fs'
  import { createNetworks } from '${dist}networks.js'
  const own = openSync('/proc/self/ns/net', 'r')
  const networks = createNetworks(own)
  const home = readlinkSync('/proc/self/ns/net')
  const network = { fd: openSync('/proc/${process.pid}/ns/net', 'r'), isClosed: () => false, close: () => {} }
`

testAsRoot('work done in another network is done there, and the process is at home again also when it throws', () => {
  const { stdout, stderr } = inOwnProcess(`${setUp}
    let inside
    try { networks.within(network, () => { inside = readlinkSync('/proc/thread-self/ns/net'); throw new Error('x') }) } catch {}
    console.log(inside !== home, readlinkSync('/proc/thread-self/ns/net') === home)
  `)
  expect([stdout, stderr]).toEqual(['true true\n', ''])
})

testAsRoot('a process that cannot come back from another network ends before anything else runs', () => {
  const { stdout, signal } = inOwnProcess(`${setUp}
    closeSync(own)
    try { networks.within(network, () => undefined) } catch { console.log('went on') }
    console.log('went on')
  `)
  expect([signal, stdout]).toEqual(['SIGABRT', ''])
})
