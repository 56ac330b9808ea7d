// Two hundred sleeping instances asked in the same moment: none may fail, and how long until the last has answered, beside
// starting two hundred bare bubblewraps by hand, as many at a time as tenement starts.
import { cpus } from 'node:os'
import { makeGround, prepareLaunch, startByHand } from '../lib/launches.mjs'
import { median } from '../lib/numbers.mjs'
import { inPlace } from '../lib/place.mjs'
import { servicesFor } from '../lib/services.mjs'
import { startTenement } from '../lib/tenement.mjs'

export const title = 'two hundred sleeping instances asked at once'
export const columns = ['how', 'failed', 'ms until the last', 'median ms', 'noise', 'ratio']

const count = 200
/** The default of max_concurrent_wakes. */
const width = Math.max(8, cpus().length * 4)

const byHand = async (ground, isolation) => {
  const requests = []
  for (let index = 0; index < count; index += 1) requests.push(await prepareLaunch(ground, isolation))
  const ends = []
  let failed = 0
  const begun = performance.now()
  const work = async () => {
    for (let request = requests.pop(); request !== undefined; request = requests.pop())
      try {
        ends.push((await startByHand(ground, request)).end)
      } catch {
        failed += 1
      }
  }
  await Promise.all(Array.from({ length: width }, work))
  const tookMs = performance.now() - begun
  await Promise.all(ends.map((end) => end()))
  return { tookMs, failed }
}

const woken = async (tenement, name, ids) => {
  const begun = performance.now()
  const answers = await Promise.allSettled(ids.map((id) => tenement.ask(name, id)))
  const tookMs = performance.now() - begun
  await Promise.all(ids.map((id) => tenement.stop(name, id)))
  return {
    tookMs,
    failed: answers.filter(({ status }) => status === 'rejected').length,
    medianMs: median(answers.flatMap(({ value }) => value ?? [])),
  }
}

export const measure = ({ isQuick }) =>
  inPlace(async (place) => {
    const ground = makeGround(place)
    const ids = Array.from({ length: count }, (_, index) => `i${index}`)
    const services = servicesFor(place, ['fd'], { ids })
    const tenement = await startTenement(place.root, services)
    const contestants = [
      ...['none', 'sandbox'].map((isolation) => ({
        how: isolation === 'none' ? 'by hand, bare' : 'by hand, bubblewrap as sandbox',
        once: () => byHand(ground, isolation),
      })),
      ...services.map(({ name, isolation }) => ({
        how: `tenement, ${isolation}`,
        once: () => woken(tenement, name, ids),
      })),
    ]
    const values = Object.fromEntries(contestants.map(({ how }) => [how, []]))
    try {
      for (let round = 0; round < (isQuick ? 1 : 3); round += 1)
        for (const { how, once } of contestants) values[how].push(await once())
    } finally {
      await tenement.close()
      ground.close()
    }
    const base = {
      none: 'by hand, bare',
      namespace: 'by hand, bubblewrap as sandbox',
      sandbox: 'by hand, bubblewrap as sandbox',
    }
    const rows = contestants.map(({ how }) => {
      const times = values[how].map(({ tookMs }) => tookMs)
      const beside = values[base[how.replace('tenement, ', '')] ?? how].map(({ tookMs }) => tookMs)
      return {
        how,
        failed: values[how].reduce((sum, { failed }) => sum + failed, 0),
        'ms until the last': median(times),
        'median ms': median(values[how].map(({ medianMs }) => medianMs ?? 0)) || undefined,
        noise: (Math.max(...times) - Math.min(...times)) / 2,
        ratio: median(times.map((time, round) => time / beside[round])),
      }
    })
    const goals = rows
      .filter(({ how }) => how.startsWith('tenement'))
      .flatMap(({ how, failed, ratio }) => [
        { what: `failed of two hundred at once, ${how}`, found: failed, atMost: 0 },
        { what: `until the last of two hundred, of starting them by hand, ${how}`, found: ratio, atMost: 1.5 },
      ])
    return { rows, goals, values }
  })
