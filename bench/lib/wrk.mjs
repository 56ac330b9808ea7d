// Runs wrk and reads what it counted itself; its own text rounds.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { pinned } from './processes.mjs'

const run = promisify(execFile)

const report = `done = function(summary, latency)
  io.write(string.format("RESULT %f %f %f %d %d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout, summary.requests))
end
`

/** Asks as fast as answers come: requests per second, and their times in milliseconds. Rejects when a request failed. */
export const createLoad = (root) => {
  const script = join(root, 'report.lua')
  writeFileSync(script, report)
  return async ({ port, host }, { seconds, connections = 32, threads = 2, core }) => {
    const command = [
      ...['wrk', '-c', String(connections), '-t', String(threads), '-d', `${seconds}s`, '-H', `Host: ${host}`],
      ...['-s', script, `http://127.0.0.1:${port}/`],
    ]
    const [program, args] = core === undefined ? [command[0], command.slice(1)] : pinned(core, command)
    const { stdout } = await run(program, args)
    const [perSecond, p50, p99, errors, requests] = /RESULT (.*)/.exec(stdout)[1].split(' ').map(Number)
    if (errors > 0) throw new Error(`${errors} requests to ${host} failed`)
    return { perSecond, p50, p99, requests }
  }
}
