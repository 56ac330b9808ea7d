// What a hundred instances that do nothing but crash do to a healthy one beside them: its times while all is quiet and while they are
// started, crash and are started again, in turn. They are given up after five crashes; each round forgives them.
import { askFor, p99sOf, rowOf } from '../lib/neighbour.mjs'
import { inPlace } from '../lib/place.mjs'
import { servicesFor } from '../lib/services.mjs'
import { startTenement } from '../lib/tenement.mjs'

export const title = "a healthy instance's times beside a hundred that keep crashing"
export const columns = ['beside', 'asked', 'failed', 'p50 ms', 'p99 ms', 'noise', 'ratio of p99']

const quiet = 'nobody'
const crashing = 'a hundred that crash'
const ids = Array.from({ length: 100 }, (_, index) => `c${index}`)

export const measure = ({ isQuick }) =>
  inPlace(async (place) => {
    const [hello] = servicesFor(place, ['fd'], { isolations: ['sandbox'] })
    const [bad] = servicesFor(place, ['fd'], { isolations: ['none'], ids })
    const tenement = await startTenement(place.root, [hello, { ...bad, name: 'bad', program: 'false' }])
    const host = `main.${hello.name}.bench`
    const values = { [quiet]: [], [crashing]: [] }
    try {
      await tenement.ask(hello.name)
      for (let round = 0; round < (isQuick ? 2 : 9); round += 1) {
        values[quiet].push(await askFor(tenement.port, host, 3_000))
        await Promise.all(ids.map((id) => tenement.enable('bad', id)))
        // Each request waits through every start, and is refused when its instance is given up.
        const refused = Promise.allSettled(ids.map((id) => tenement.ask('bad', id)))
        values[crashing].push(await askFor(tenement.port, host, 3_000))
        await refused
      }
    } finally {
      await tenement.close()
    }
    const rows = Object.entries(values).map(([name, rounds]) => rowOf(name, rounds, values[quiet]))
    return { rows, values: p99sOf(values) }
  })
