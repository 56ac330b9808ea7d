// What standing between client and application costs, beside asking the application directly, nginx and http-proxy: how many
// requests a second pass with 32 connections (wrk), and how long one takes when a thousand come each second, by the clock.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { withContestants } from '../lib/contestants.mjs'
import { median, noise, pairedDifference, pairedRatio, quantile } from '../lib/numbers.mjs'
import { compile, inPlace } from '../lib/place.mjs'
import { cores, pinned, processorNs } from '../lib/processes.mjs'
import { createSampler } from '../lib/quiet.mjs'
import { createLoad } from '../lib/wrk.mjs'

export const title = 'requests through a proxy to a static server in C, six bytes each'
export const columns = [
  'how',
  'req/s',
  'noise',
  'of nginx',
  'of http-proxy',
  'µs/req',
  'p50 ms',
  'p99 ms',
  '1000/s: p50 ms',
  '1000/s: p99 ms',
  'added p50 ms',
  'added p99 ms',
]

const run = promisify(execFile)
const rate = 1_000

/** With what it took of the proxy's processor time: other work on the machine hardly changes that, unlike all else. */
const timedLoad = async (load, contestant, seconds) => {
  const { pid } = contestant
  const before = pid && processorNs(pid)
  const found = await load(contestant, { seconds, threads: 1, core: cores.others })
  return { ...found, ...(pid && { microseconds: (processorNs(pid) - before) / 1e3 / found.requests }) }
}

/** Milliseconds from the moment each request was due to its answer. */
const byTheClock = async (program, { port, host }, seconds) => {
  const { stdout } = await run(...pinned(cores.others, [program, port, host, rate, seconds, 32].map(String)), {
    maxBuffer: 1e8,
  })
  const times = stdout
    .trim()
    .split('\n')
    .map((line) => Number(line) / 1e3)
  return { p50: median(times), p99: quantile(times, 0.99) }
}

const column = (samples, key) => samples.map((sample) => sample[key])

const rowOf = ({ name }, { loads, latencies }, names) => {
  const perSecond = column(loads[name], 'perSecond')
  const against = (base) => names.includes(base) && pairedRatio(perSecond, column(loads[base], 'perSecond'))
  const added = (key) =>
    name === 'direct' ? undefined : pairedDifference(column(latencies[name], key), column(latencies.direct, key))
  return {
    how: name,
    'req/s': Math.round(median(perSecond)),
    noise: Math.round(noise(perSecond)),
    'of nginx': against('nginx') || undefined,
    'of http-proxy': against('http-proxy') || undefined,
    'µs/req': median(column(loads[name], 'microseconds')),
    'p50 ms': median(column(loads[name], 'p50')),
    'p99 ms': median(column(loads[name], 'p99')),
    '1000/s: p50 ms': median(column(latencies[name], 'p50')),
    '1000/s: p99 ms': median(column(latencies[name], 'p99')),
    'added p50 ms': added('p50'),
    'added p99 ms': added('p99'),
  }
}

const goalsOf = (row) => [
  { what: 'requests per second, of those of nginx', found: row['of nginx'], atLeast: 0.35 },
  { what: 'requests per second, of those of http-proxy', found: row['of http-proxy'], atLeast: 2.5 },
  { what: 'added at the median, 1,000 requests per second, ms', found: row['added p50 ms'], atMost: 0.4 },
  { what: 'added at the 99th percentile, 1,000 requests per second, ms', found: row['added p99 ms'], atMost: 3 },
]

export const measure = ({ isQuick }) =>
  inPlace((place) =>
    withContestants(place, async ({ contestants, skipped }) => {
      const names = contestants.map(({ name }) => name)
      const load = createLoad(place.root)
      const openloop = compile('openloop', place.root)
      const sample = createSampler(isQuick ? 5_000 : 20_000)
      const seconds = isQuick ? 1 : 2
      const loads = Object.fromEntries(names.map((name) => [name, []]))
      const latencies = Object.fromEntries(names.map((name) => [name, []]))
      for (const contestant of contestants) await load(contestant, { seconds: 2, threads: 1, core: cores.others })
      for (let round = 0; round < (isQuick ? 3 : 7); round += 1) {
        const order = round % 2 === 0 ? contestants : contestants.toReversed()
        for (const contestant of order)
          loads[contestant.name].push(await sample(() => timedLoad(load, contestant, seconds)))
        for (const contestant of order)
          latencies[contestant.name].push(await sample(() => byTheClock(openloop, contestant, seconds)))
      }
      const rows = contestants.map((contestant) => rowOf(contestant, { loads, latencies }, names))
      const own = rows.find(({ how }) => how === 'tenement')
      return { rows: [...rows, ...skipped], goals: goalsOf(own), loads, latencies }
    }),
  )
