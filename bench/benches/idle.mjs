// How long after its idle timeout an instance is told to stop, and how long until it is gone, with ten thousand configured: once
// with the timeouts spread over some seconds, once with all of them in the same moment.
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { median, quantile } from '../lib/numbers.mjs'
import { inPlace } from '../lib/place.mjs'
import { servicesFor } from '../lib/services.mjs'
import { startTenement } from '../lib/tenement.mjs'
import { monotonicMs, watchEnds } from '../lib/watchEnds.mjs'

export const title = 'from the idle timeout of an instance to its end, 10,000 configured (ms)'
export const columns = [
  'how',
  'instances',
  ...['signal p50', 'signal p95', 'signal max'],
  ...['gone p50', 'gone p95', 'gone max', 'gone within 250'],
]

const configured = 10_000
const idleMs = 4_000
const spreadMs = 3_000
const askedMs = 250

/** Resolves with the time at which the whole answer was there: from then on the instance is idle. */
const ask = (port, host) =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, agent: false, headers: { host } }, (response) => {
      response.resume()
      response.once('end', () =>
        response.statusCode === 200
          ? resolve(monotonicMs())
          : reject(new Error(`${host} answered ${response.statusCode}`)),
      )
    })
    asked.once('error', reject)
    asked.end()
  })

/** Has all of them woken, then used one last time, and tells how late each was told to stop, and was gone. */
const sleepAll = async ({ tenement, service, ends, ids }, overMs) => {
  const askOne = (id) => ask(tenement.port, `${id}.${service}.bench`)
  const ended = ids.map((id) => ends.untilEnded(id))
  await Promise.all(ids.map(askOne))
  return Promise.all(
    ids.map(async (id, index) => {
      await delay((index * overMs) / ids.length)
      const dueMs = (await askOne(id)) + idleMs
      const { signalledMs, endedMs } = await ended[index]
      return { signalMs: signalledMs - dueMs, goneMs: endedMs - dueMs }
    }),
  )
}

const rowOf = (how, lates) => {
  const signals = lates.map(({ signalMs }) => signalMs)
  const gone = lates.map(({ goneMs }) => goneMs)
  return {
    how,
    instances: lates.length,
    'signal p50': median(signals),
    'signal p95': quantile(signals, 0.95),
    'signal max': Math.max(...signals),
    'gone p50': median(gone),
    'gone p95': quantile(gone, 0.95),
    'gone max': Math.max(...gone),
    'gone within 250': gone.filter((late) => late <= askedMs).length / gone.length,
  }
}

export const measure = ({ isQuick }) =>
  inPlace(async (place) => {
    const watch = join(place.root, 'watch.sock')
    const all = Array.from({ length: configured }, (_, index) => `i${index}`)
    const [service] = servicesFor(place, ['fd'], { isolations: ['none'], ids: all })
    const env = `[service.${service.name}.env]\nWATCH = "${watch}"\nNAME = "{id}"`
    const keys = `${service.keys}\nidle_timeout = "${idleMs / 1_000}s"\n${env}`
    const ends = await watchEnds(watch)
    const tenement = await startTenement(place.root, [{ ...service, keys }])
    try {
      const ids = all.filter((_, index) => index % (configured / (isQuick ? 50 : 200)) === 0)
      const scene = { tenement, service: service.name, ends, ids }
      const found = { spread: [], together: [] }
      for (let round = 0; round < (isQuick ? 1 : 4); round += 1) {
        found.spread.push(...(await sleepAll(scene, spreadMs)))
        found.together.push(...(await sleepAll(scene, 0)))
      }
      const rows = [
        rowOf(`timeouts spread over ${spreadMs / 1_000} s`, found.spread),
        rowOf('all timeouts at once', found.together),
      ]
      const goals = rows.flatMap((row) => [
        { what: `told to stop after the idle timeout, p95, ${row.how}, ms`, found: row['signal p95'], atMost: askedMs },
        { what: `gone after the idle timeout, p95, ${row.how}, ms`, found: row['gone p95'], atMost: askedMs },
      ])
      return { rows, goals, found }
    } finally {
      await tenement.close()
      ends.close()
    }
  })
