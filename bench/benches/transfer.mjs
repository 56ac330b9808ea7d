// A body of a gigabyte each way through a proxy, beside the same without one: how fast it passes, and how much memory the proxy
// holds at its worst moment. nginx is told to pass on what comes as it comes, which is what tenement does.
import { execFile } from 'node:child_process'
import { closeSync, ftruncateSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { withContestants } from '../lib/contestants.mjs'
import { median, noise, pairedRatio } from '../lib/numbers.mjs'
import { inPlace } from '../lib/place.mjs'
import { cores, pinned, processorNs } from '../lib/processes.mjs'
import { createSampler } from '../lib/quiet.mjs'
import { watchMemory } from '../lib/watchMemory.mjs'

export const title = 'one gigabyte through a proxy, to and from a static server in C (curl)'
export const columns = [
  'how',
  ...['down MB/s', 'noise', 'down, of nginx', 'down, ms CPU', 'down, grew MB'],
  ...['up MB/s', 'up, of nginx', 'up, ms CPU', 'up, grew MB', 'held MB'],
]

const run = promisify(execFile)

/** A file of nothing but zeros, which takes no room. */
const emptyFile = (root, bytes) => {
  const file = join(root, 'body')
  const fd = openSync(file, 'w')
  ftruncateSync(fd, bytes)
  closeSync(fd)
  return file
}

const ways = {
  down: ({ bytes }) => [`/${bytes}`],
  // curl would wait for a 100 first, which some of those measured do not send.
  up: ({ file }) => ['/', '--request', 'POST', '--header', 'Expect:', '--upload-file', file],
}

/** Rejects unless every byte has passed. */
const transfer = async ({ port, host }, way, body) => {
  const [path, ...more] = ways[way](body)
  const asked = ['curl', '--silent', '--show-error', '--fail', '--output', '/dev/null', '--header', `Host: ${host}`]
  const told = ['--write-out', '%{time_total} %{size_download} %{size_upload}']
  const { stdout } = await run(...pinned(cores.others, [...asked, ...told, ...more, `http://127.0.0.1:${port}${path}`]))
  const [seconds, down, up] = stdout.split(' ').map(Number)
  const passed = way === 'down' ? down : up
  if (passed !== body.bytes) throw new Error(`${passed} of ${body.bytes} bytes have passed`)
  return { perSecond: body.bytes / 1e6 / seconds }
}

const timedTransfer = async (contestant, way, body) => {
  const { pid } = contestant
  if (pid === undefined) return transfer(contestant, way, body)
  const before = processorNs(pid)
  const look = watchMemory(pid)
  try {
    const found = await transfer(contestant, way, body)
    return { ...found, processorMs: (processorNs(pid) - before) / 1e6, ...look() }
  } finally {
    look()
  }
}

const column = (samples, key) => samples.map((sample) => sample[key])

const rowOf = ({ name }, found) => {
  const speed = (way) => column(found[way][name], 'perSecond')
  const against = (way) => found[way].nginx && pairedRatio(speed(way), column(found[way].nginx, 'perSecond'))
  const of = (way, key) => (name === 'direct' ? undefined : median(column(found[way][name], key)))
  const most = (key) => Math.max(...Object.values(found).flatMap((each) => column(each[name], key)))
  return {
    how: name,
    'down MB/s': Math.round(median(speed('down'))),
    noise: Math.round(noise(speed('down'))),
    'down, of nginx': against('down'),
    'down, ms CPU': of('down', 'processorMs'),
    'down, grew MB': of('down', 'grewMb'),
    'up MB/s': Math.round(median(speed('up'))),
    'up, of nginx': against('up'),
    'up, ms CPU': of('up', 'processorMs'),
    'up, grew MB': of('up', 'grewMb'),
    'held MB': name === 'direct' ? undefined : most('residentMb'),
  }
}

const goalsOf = (row, bytes) => [
  { what: `download of ${bytes / 1e6} MB, of the speed of nginx`, found: row['down, of nginx'], atLeast: 0.6 },
  { what: `upload of ${bytes / 1e6} MB, of the speed of nginx`, found: row['up, of nginx'], atLeast: 0.6 },
  { what: 'memory the server gained in a download, MB', found: row['down, grew MB'], atMost: 50 },
  { what: 'memory the server gained in an upload, MB', found: row['up, grew MB'], atMost: 50 },
]

export const measure = ({ isQuick }) =>
  inPlace((place) =>
    withContestants(place, async ({ contestants, skipped }) => {
      const bytes = isQuick ? 250_000_000 : 1_000_000_000
      const body = { bytes, file: emptyFile(place.root, bytes) }
      const sample = createSampler(isQuick ? 5_000 : 20_000)
      const found = Object.fromEntries(
        Object.keys(ways).map((way) => [way, Object.fromEntries(contestants.map(({ name }) => [name, []]))]),
      )
      const warm = { ...body, bytes: 50_000_000, file: body.file }
      for (const contestant of contestants) await transfer(contestant, 'down', warm)
      for (let round = 0; round < (isQuick ? 2 : 5); round += 1)
        for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed())
          for (const way of Object.keys(ways))
            found[way][contestant.name].push(await sample(() => timedTransfer(contestant, way, body)))
      const rows = contestants.map((contestant) => rowOf(contestant, found))
      return {
        rows: [...rows, ...skipped],
        goals: goalsOf(
          rows.find(({ how }) => how === 'tenement'),
          bytes,
        ),
        found,
      }
    }),
  )
