// The same for a program in Node, without confinement: from a request to the first byte, beside starting it by hand and
// asking in a tight loop until it listens. It says what tenement adds where the program itself takes most of the time.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstByteOnceListening, freePort } from '../lib/client.mjs'
import { addedTo, inTurn, median, noise, pairedDifference, quantile } from '../lib/numbers.mjs'
import { inPlace } from '../lib/place.mjs'
import { startTenement } from '../lib/tenement.mjs'

export const title = 'first byte of a sleeping instance, a server in Node (ms)'
export const columns = ['how', 'p10', 'p50', 'p95', 'noise', 'added']

const source = `#!/usr/bin/env node
import { createServer } from 'node:http'
createServer((_, response) => response.end('hello')).listen(process.env.PORT, '127.0.0.1')
`

const byHand = async (program, cwd) => {
  const port = await freePort()
  const begun = performance.now()
  const child = spawn(program, { cwd, stdio: 'ignore', env: { PATH: process.env.PATH, PORT: String(port) } })
  const { at } = await firstByteOnceListening({ port }, () => child.exitCode !== null)
  child.kill('SIGKILL')
  await once(child, 'exit')
  return at - begun
}

export const measure = ({ rounds }) =>
  inPlace(async ({ root, app }) => {
    const program = join(app, 'hello.mjs')
    writeFileSync(program, source)
    chmodSync(program, 0o755)
    const tenement = await startTenement(root, [{ name: 'node', program, cwd: app, keys: 'isolation = "none"' }])
    const woken = async () => {
      const tookMs = await tenement.ask('node')
      await tenement.stop('node')
      return tookMs
    }
    try {
      const contestants = [
        { name: 'by hand, bare', once: () => byHand(program, app) },
        { name: 'tenement, none, port', once: woken },
      ]
      const values = await inTurn(contestants, Math.ceil(rounds / 2))
      const rows = contestants.map(({ name }) => ({
        how: name,
        p10: quantile(values[name], 0.1),
        p50: median(values[name]),
        p95: quantile(values[name], 0.95),
        noise: noise(values[name]),
        added: pairedDifference(values[name], values['by hand, bare']),
      }))
      const goals = addedTo(values['tenement, none, port'], values['by hand, bare'], 'a program in Node')
      return { rows, goals, values }
    } finally {
      await tenement.close()
    }
  })
