// What a request to an instance that is awake costs, by isolation and by the way it is reached: how many a second with 32
// connections (wrk), and the time of one on a connection that is kept, one after the other. In turn, so that all meet the same machine.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { median, noise, quantile } from '../lib/numbers.mjs'
import { inPlace } from '../lib/place.mjs'
import { awake, servicesFor } from '../lib/services.mjs'
import { startTenement } from '../lib/tenement.mjs'

export const title = 'requests to an instance that is awake, a static server in C'
export const columns = [
  'how',
  'req/s',
  'noise',
  'ratio to none',
  'server µs/req',
  'µs ratio',
  'p50 ms',
  'p99 ms',
  'one: p50 ms',
  'one: p99 ms',
  'one: ratio',
]

const run = promisify(execFile)

/** Reads what wrk itself counted; its own text rounds. */
const report = `done = function(summary, latency)
  io.write(string.format("RESULT %f %f %f %d %d\\n", summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout, summary.requests))
end
`

const load = async (script, port, host, seconds) => {
  const args = [
    '-c',
    '32',
    '-t',
    '2',
    '-d',
    `${seconds}s`,
    '-H',
    `Host: ${host}`,
    '-s',
    script,
    `http://127.0.0.1:${port}/`,
  ]
  const { stdout } = await run('wrk', args)
  const [perSecond, p50, p99, errors, requests] = /RESULT (.*)/.exec(stdout)[1].split(' ').map(Number)
  if (errors > 0) throw new Error(`${errors} requests to ${host} failed`)
  return { perSecond, p50, p99, requests }
}

/** Nanoseconds that the threads of a process have had a processor (Documentation/scheduler/sched-stats.rst). */
const processorNs = (pid) =>
  readdirSync(`/proc/${pid}/task`).reduce(
    (sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    0,
  )

/** The load with what it took of the server's processor time: other work on the machine hardly changes that, unlike all else. */
const timedLoad = async (tenement, script, host) => {
  const pid = tenement.serverPid()
  const before = processorNs(pid)
  const found = await load(script, tenement.port, host, 1)
  return { ...found, serverUs: (processorNs(pid) - before) / 1e3 / found.requests }
}

const askOn = (agent, port, host) =>
  new Promise((resolve, reject) => {
    const begun = performance.now()
    const asked = request({ host: '127.0.0.1', port, agent, headers: { host } }, (response) => {
      response.resume()
      response.once('end', () => resolve(performance.now() - begun))
    })
    asked.once('error', reject)
    asked.end()
  })

const oneByOne = async (port, host, count) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times = []
  for (let index = 0; index < count; index += 1) times.push(await askOn(agent, port, host))
  agent.destroy()
  return times
}

/** Median of the quotients within each round. */
const pairedRatio = (values, base) => median(values.map((value, round) => value / base[round]))

export const measure = ({ isQuick }) =>
  inPlace(async (place) => {
    const services = servicesFor(place, ['port', 'fd', 'unix'])
    const tenement = await startTenement(place.root, services)
    const script = join(place.root, 'report.lua')
    writeFileSync(script, report)
    try {
      const { found, skipped } = await awake(tenement, services, 'how')
      const loads = Object.fromEntries(found.map(({ name }) => [name, []]))
      const singles = Object.fromEntries(found.map(({ name }) => [name, []]))
      for (let round = 0; round < (isQuick ? 3 : 9); round += 1)
        for (const { name } of found) {
          const host = `main.${name}.bench`
          loads[name].push(await timedLoad(tenement, script, host))
          singles[name].push(await oneByOne(tenement.port, host, isQuick ? 200 : 400))
        }
      const perSecond = (name) => loads[name].map((each) => each.perSecond)
      const serverUs = (name) => loads[name].map((each) => each.serverUs)
      const medians = (name) => singles[name].map(median)
      const rows = found.map(({ name, listen }) => ({
        how: name.replace('-', ', '),
        'req/s': Math.round(median(perSecond(name))),
        noise: Math.round(noise(perSecond(name))),
        'ratio to none': pairedRatio(perSecond(name), perSecond(`none-${listen}`)),
        'server µs/req': median(serverUs(name)),
        'µs ratio': pairedRatio(serverUs(name), serverUs(`none-${listen}`)),
        'p50 ms': median(loads[name].map(({ p50 }) => p50)),
        'p99 ms': median(loads[name].map(({ p99 }) => p99)),
        'one: p50 ms': median(medians(name)),
        'one: p99 ms': median(singles[name].map((times) => quantile(times, 0.99))),
        'one: ratio': pairedRatio(medians(name), medians(`none-${listen}`)),
      }))
      return {
        rows: [...rows, ...skipped],
        loads,
        singles: Object.fromEntries(found.map(({ name }) => [name, medians(name)])),
      }
    } finally {
      await tenement.close()
    }
  })
