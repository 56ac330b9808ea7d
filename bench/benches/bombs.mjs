// What a tenant that uses up whatever all share does to its neighbour: the neighbour's times while nothing else runs and while each
// bomb goes on beside it, in turn. Both are in "sandbox" with its usual bounds. The bombs are those of the attacks, and end by themselves.
import { makeStage } from '../../dist/proof/stage.js'
import { askFor, p99sOf, rowOf, statusOf } from '../lib/neighbour.mjs'
import { inPlace, isRoot } from '../lib/place.mjs'
import { servicesFor } from '../lib/services.mjs'
import { startTenement } from '../lib/tenement.mjs'

export const title = "a neighbour's times beside a tenant that uses up what all share"
export const columns = ['beside', 'asked', 'failed', 'p50 ms', 'p99 ms', 'noise', 'ratio of p99']

const mebibyte = 1024 ** 2
const quiet = 'nobody'

/** Each is told to one instance that does as it is told (src/attack/instance.ts), and goes on for these milliseconds at most. */
const bombs = {
  processes: { what: 'start many processes', count: 2_000 },
  zombies: { what: 'leave zombies', most: 2_000 },
  memory: { what: 'fill memory', bytes: 1_024 * mebibyte },
  'a file in memory': { what: 'fill a file', path: '/tmp/filled', bytes: 256 * mebibyte },
  'a file on disk': { what: 'fill a file', bytes: 256 * mebibyte },
  'a deep tree': { what: 'grow a tree', depth: 1_500 },
  log: { what: 'flood the log', bytes: 64 * mebibyte },
  inotify: { what: 'take watches', most: 100_000 },
  spinning: { what: 'spin', count: 16 },
}

/** Its answer comes when it is over; where it was ended for it, that is one too. */
const letOff = (port, host, { what, ...parameters }) => {
  const path = `/do?${new URLSearchParams({ what, ...parameters })}`
  return statusOf({ host: '127.0.0.1', port, method: 'POST', path, agent: false, headers: { host } }).catch(() => 0)
}

export const measure = ({ isQuick }) =>
  inPlace(async (place) => {
    if (!isRoot) return { rows: [{ beside: quiet, skipped: 'only root has uids and cgroups to bound tenants by' }] }
    const stage = makeStage(place.root)
    const [hello] = servicesFor(place, ['fd'], { isolations: ['sandbox'] })
    const bomber = { ...hello, name: 'bomber', program: process.execPath, args: ['attack/instance.js'], cwd: stage }
    const tenement = await startTenement(place.root, [hello, bomber])
    const host = `main.${hello.name}.bench`
    const values = Object.fromEntries([quiet, ...Object.keys(bombs)].map((name) => [name, []]))
    try {
      await tenement.ask(hello.name)
      for (let round = 0; round < (isQuick ? 2 : 9); round += 1) {
        values[quiet].push(await askFor(tenement.port, host, isQuick ? 1_000 : 3_000))
        for (const [name, bomb] of Object.entries(bombs)) {
          await tenement.ask('bomber')
          const over = letOff(tenement.port, 'main.bomber.bench', bomb)
          values[name].push(await askFor(tenement.port, host, isQuick ? 1_000 : 3_000))
          await tenement.stop('bomber') // ends what goes on
          await over
        }
      }
    } finally {
      await tenement.close()
    }
    const rows = Object.entries(values).map(([name, rounds]) => rowOf(name, rounds, values[quiet]))
    return { rows, values: p99sOf(values) }
  })
