// A client whose errors about a name that there is not say which was probably meant. It asks the server for the names only
// then, and compares them here: ten thousand comparisons are nothing a server should stand still for.
import { nearest } from '../config/suggest.ts'
import type { ControlClient } from '../control/client.ts'
import { type ErrorCode, TenementError } from '../errors.ts'
import { formatInstance, type InstanceName, parseInstance } from '../names.ts'

const unknownNames: ReadonlySet<ErrorCode> = new Set(['unknown_instance', 'unknown_service'])

/** The name there is that is a few slips away from this one: another id of the service, or the id in another service. */
export const meantInstance = ({ service, id }: InstanceName, names: readonly InstanceName[]): string | undefined => {
  const idsOf = (of: string): readonly string[] => names.filter((name) => name.service === of).map((name) => name.id)
  const services = new Set(names.map((name) => name.service))
  const meantService = services.has(service) ? service : nearest(service, services)
  if (meantService === undefined) return undefined
  const ids = idsOf(meantService)
  const meantId = meantService !== service && ids.includes(id) ? id : nearest(id, ids)
  return meantId === undefined ? undefined : formatInstance({ service: meantService, id: meantId })
}

/** The name that an instance to be added was meant to have: only its service can be wrong. */
const meantService = ({ service, id }: InstanceName, names: readonly InstanceName[]): string | undefined => {
  const meant = nearest(service, new Set(names.map((name) => name.service)))
  return meant === undefined ? undefined : formatInstance({ service: meant, id })
}

type Meant = typeof meantInstance

export const withSuggestions = (client: ControlClient): ControlClient => {
  /** The error with the name that was meant; as it is where there is none, or the names cannot be had. */
  const explained = async (thrown: unknown, name: InstanceName, meant: Meant): Promise<unknown> => {
    if (!(thrown instanceof TenementError) || !unknownNames.has(thrown.code)) return thrown
    const names = await client.names().catch(() => [])
    const suggestion = meant(
      name,
      names.flatMap((written) => parseInstance(written) ?? []),
    )
    if (suggestion === undefined) return thrown
    return new TenementError(thrown.code, thrown.message, { fix: `did you mean "${suggestion}"?`, cause: thrown })
  }
  const ask = <Rest extends readonly unknown[], Result>(
    method: (name: InstanceName, ...rest: Rest) => Promise<Result>,
    meant: Meant = meantInstance,
  ) => {
    return async (name: InstanceName, ...rest: Rest): Promise<Result> => {
      try {
        return await method(name, ...rest)
      } catch (thrown) {
        throw await explained(thrown, name, meant)
      }
    }
  }
  async function* logs(...[name, options]: Parameters<ControlClient['logs']>) {
    try {
      yield* client.logs(name, options)
    } catch (thrown) {
      throw await explained(thrown, name, meantInstance)
    }
  }
  return {
    ...client,
    status: ask(client.status),
    why: ask(client.why),
    add: ask(client.add, meantService),
    remove: ask(client.remove),
    wake: ask(client.wake),
    stop: ask(client.stop),
    restart: ask(client.restart),
    trace: ask(client.trace),
    wait: ask(client.wait),
    enable: ask(client.enable),
    disable: ask(client.disable),
    pause: ask(client.pause),
    resume: ask(client.resume),
    logs,
  }
}
