// What many configured instances cost while nearly all of them sleep: time to the first answer, memory of server and launcher, heap
// for each; and how late the last of ten thousand idle instances is stopped.
import { chmodSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { usedHeap, withFleet } from '../lib/fleet.mjs'
import { median, quantile } from '../lib/numbers.mjs'
import { inPlace } from '../lib/place.mjs'
import { servicesFor } from '../lib/services.mjs'
import { startTenement } from '../lib/tenement.mjs'

export const title = 'many configured instances, nearly all asleep'
export const columns = ['what', 'instances', 'median', 'worst', 'ratio to few']

const few = 10
const counts = [few, 1_000, 10_000]
const mebibyte = 1024

const idsOf = (count) => Array.from({ length: count }, (_, index) => `i${index}`)

const residentOf = (pid) =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) / mebibyte

/** Processor time that a process has used (fields 14 and 15 of /proc/PID/stat, in hundredths of a second; proc(5)). */
const processorMsOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** From the start of the program to the first answer of an instance, and the memory of both processes a moment later. */
const serveOnce = (place, count) => async () => {
  const services = servicesFor(place, ['fd'], { isolations: ['none'], ids: idsOf(count) })
  const root = mkdtempSync(join(place.root, 'scale-'))
  chmodSync(root, 0o711)
  const begun = performance.now()
  const tenement = await startTenement(root, services)
  try {
    await tenement.ask(services[0].name, 'i0')
    const answeredMs = performance.now() - begun
    const processorMs = processorMsOf(tenement.launcherPid) + processorMsOf(tenement.serverPid())
    await delay(1_000)
    const server = residentOf(tenement.serverPid())
    return { answeredMs, processorMs, server, launcher: residentOf(tenement.launcherPid) }
  } finally {
    await tenement.close()
  }
}

const rowsOf = (what, found, key) => {
  const base = median(found.get(few).map((each) => each[key]))
  return counts.map((instances) => {
    const values = found.get(instances).map((each) => each[key])
    return {
      what,
      instances,
      median: median(values),
      worst: Math.max(...values),
      'ratio to few': median(values) / base,
      values,
    }
  })
}

const served = (rounds) =>
  inPlace(async (place) => {
    const found = new Map(counts.map((count) => [count, []]))
    for (let round = 0; round < rounds; round += 1)
      for (const count of counts) found.get(count).push(await serveOnce(place, count)())
    return [
      ...rowsOf('start to the first answer (ms)', found, 'answeredMs'),
      ...rowsOf('processor time until then (ms)', found, 'processorMs'),
      ...rowsOf('the server, resident (MB)', found, 'server'),
      ...rowsOf('the launcher, resident (MB)', found, 'launcher'),
    ]
  })

/** Wakes each once; `onRelease` is called when nobody uses it any more. */
const wakeAll = async (supervisor, ids, onRelease = () => undefined) => {
  for (let from = 0; from < ids.length; from += 500)
    await Promise.all(
      ids.slice(from, from + 500).map(async (id) => {
        const context = { gone: new AbortController().signal, arrivedAtMs: Date.now() }
        const lease = await supervisor.wake(`api:${id}`, context)
        lease.release()
        onRelease(id)
      }),
    )
}

/** Bytes of heap for each: of one that nobody has asked for yet, of one that has run and sleeps again. */
const heapRows = async (count) => {
  await withFleet(
    idsOf(few),
    undefined,
    () => undefined,
    async () => undefined,
  )
  const before = usedHeap()
  const ids = idsOf(count)
  let running = count
  const onStop = () => {
    running -= 1
  }
  return withFleet(ids, 3_000, onStop, async (supervisor) => {
    const known = usedHeap()
    await wakeAll(supervisor, ids)
    while (running > 0) await delay(50)
    const slept = usedHeap()
    return [
      { what: 'heap for one never asked for (B)', instances: count, median: (known - before) / count },
      { what: 'heap for one that sleeps again (B)', instances: count, median: (slept - before) / count },
    ]
  })
}

/** Milliseconds from the moment each was to be stopped to its stop signal. */
const idleRow = async (count) => {
  const idleTimeoutMs = 5_000
  const ids = idsOf(count)
  const releasedAt = new Map()
  const late = []
  const onStop = (id) => void late.push(performance.now() - releasedAt.get(id) - idleTimeoutMs)
  await withFleet(ids, idleTimeoutMs, onStop, async (supervisor) => {
    await wakeAll(supervisor, ids, (id) => releasedAt.set(id, performance.now()))
    while (late.length < count) await delay(50)
  })
  return {
    what: 'stop signal after the idle deadline (ms)',
    instances: count,
    median: median(late),
    worst: Math.max(...late),
    p99: quantile(late, 0.99),
  }
}

export const measure = async ({ isQuick }) => ({
  rows: [...(await served(isQuick ? 3 : 9)), ...(await heapRows(10_000)), await idleRow(few), await idleRow(10_000)],
})
