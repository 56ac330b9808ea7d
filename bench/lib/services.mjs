// The ways in which the measured server is confined and reached, as services of a tenement.
import { isRoot } from './place.mjs'

const losses = ['shared-uid', 'no-memory-limit', 'no-pids-limit', 'no-cpu-limit']

/** One service for each isolation and way to listen that is given. */
export const servicesFor = ({ app, program }, listens, { isolations = ['none', 'namespace', 'sandbox'], ids } = {}) =>
  isolations.flatMap((isolation) =>
    listens.map((listen) => ({
      name: `${isolation}-${listen}`,
      isolation,
      listen,
      program,
      cwd: app,
      ids,
      keys: [
        `isolation = "${isolation}"`,
        `listen = "${listen}"`,
        ...(isRoot || isolation !== 'sandbox' ? [] : [`accept = ${JSON.stringify(losses)}`]),
      ].join('\n'),
    })),
  )

/** The services whose instance "main" could be woken, and a row with the reason for each of the others. */
export const awake = async (tenement, services, column) => {
  const found = []
  const skipped = []
  for (const service of services)
    try {
      await tenement.ask(service.name)
      found.push(service)
    } catch (error) {
      skipped.push({
        [column]: service.name.replace('-', ', '),
        skipped: String(error.message).split('\n')[0].slice(0, 120),
      })
    }
  return { found, skipped }
}
