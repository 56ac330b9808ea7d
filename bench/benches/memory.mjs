// What an instance keeps in memory beside its application: the monitor and the first process of its namespace, and how much the
// launcher and the server grow. Resident counts shared pages whole, proportional shares them among those who have them (proc(5)).
import { readFileSync } from 'node:fs'
import { inPlace } from '../lib/place.mjs'
import { servicesFor } from '../lib/services.mjs'
import { startTenement } from '../lib/tenement.mjs'

export const title = 'memory of one instance beside its application (MB)'
export const columns = ['what', 'processes', 'resident', 'proportional']

const count = 20
const mebibyte = 1024

/** Kilobytes of one process. */
const memoryOf = (pid) => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1')
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)[1])
  return { resident: field('Rss'), proportional: field('Pss') }
}

const childrenOf = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
const withDescendants = (pid) => [pid, ...childrenOf(pid).flatMap(withDescendants)]
const isApplication = (pid) => readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === 'hello'

const sum = (memories) =>
  memories.reduce(
    (total, { resident, proportional }) => ({
      resident: total.resident + resident,
      proportional: total.proportional + proportional,
    }),
    { resident: 0, proportional: 0 },
  )

const rowOf = (what, processes, { resident, proportional }, per) => ({
  what,
  processes,
  resident: resident / per / mebibyte,
  proportional: proportional / per / mebibyte,
})

const difference = (after, before) => ({
  resident: after.resident - before.resident,
  proportional: after.proportional - before.proportional,
})

export const measure = () =>
  inPlace(async (place) => {
    const ids = Array.from({ length: count + 5 }, (_, index) => `i${index}`)
    const services = servicesFor(place, ['fd'], { ids })
    const tenement = await startTenement(place.root, services)
    try {
      const rows = []
      for (const { name, isolation } of services) {
        // What the first of a kind brings along, such as code that is compiled then, is no cost of each.
        for (const id of ids.slice(count)) await tenement.ask(name, id)
        const main = [tenement.launcherPid, tenement.serverPid()]
        const before = main.map(memoryOf)
        for (const id of ids.slice(0, count)) await tenement.ask(name, id)
        const after = main.map(memoryOf)
        const trees = await Promise.all(
          ids.slice(0, count).map(async (id) => withDescendants((await tenement.status(name, id)).pid)),
        )
        const [applications, others] = [true, false].map((is) =>
          trees.flat().filter((pid) => isApplication(pid) === is),
        )
        rows.push(
          rowOf(`${isolation}: beside the application`, others.length / count, sum(others.map(memoryOf)), count),
          rowOf(`${isolation}: the application`, applications.length / count, sum(applications.map(memoryOf)), count),
          rowOf(`${isolation}: growth of the launcher`, undefined, difference(after[0], before[0]), count),
          rowOf(`${isolation}: growth of the server`, undefined, difference(after[1], before[1]), count),
        )
        await Promise.all(ids.map((id) => tenement.stop(name, id)))
      }
      return { rows, instances: count }
    } finally {
      await tenement.close()
    }
  })
