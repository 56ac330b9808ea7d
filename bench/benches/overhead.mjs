// What a request to an instance that is awake costs, by isolation and by the way it is reached: how many a second with 32
// connections (wrk), and the time of one on a connection that is kept, one after the other. In turn, so that all meet the same machine.
import { Agent, request } from 'node:http'
import { median, noise, pairedRatio, quantile } from '../lib/numbers.mjs'
import { inPlace } from '../lib/place.mjs'
import { processorNs } from '../lib/processes.mjs'
import { awake, servicesFor } from '../lib/services.mjs'
import { startTenement } from '../lib/tenement.mjs'
import { createLoad } from '../lib/wrk.mjs'

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

/** The load with what it took of the server's processor time: other work on the machine hardly changes that, unlike all else. */
const timedLoad = async (tenement, load, host) => {
  const pid = tenement.serverPid()
  const before = processorNs(pid)
  const found = await load({ port: tenement.port, host }, { seconds: 1 })
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

export const measure = ({ isQuick }) =>
  inPlace(async (place) => {
    const services = servicesFor(place, ['port', 'fd', 'unix'])
    const tenement = await startTenement(place.root, services)
    const load = createLoad(place.root)
    try {
      const { found, skipped } = await awake(tenement, services, 'how')
      const loads = Object.fromEntries(found.map(({ name }) => [name, []]))
      const singles = Object.fromEntries(found.map(({ name }) => [name, []]))
      for (let round = 0; round < (isQuick ? 3 : 9); round += 1)
        for (const { name } of found) {
          const host = `main.${name}.bench`
          loads[name].push(await timedLoad(tenement, load, host))
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
