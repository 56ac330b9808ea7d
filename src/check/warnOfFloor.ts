// Whether a service's isolation says what its least is. Nothing keeps a service with one that does not from running; but then a
// server that was taken over could start it with less, and nobody would notice. Pure.
import { type Issue, quote } from '../config/problem.ts'
import type { Service } from '../config/schema.ts'
import type { Adapters } from '../isolation/registry.ts'

export const warnOfFloor = ({ name, isolation }: Service, adapters: Adapters): readonly Issue[] => {
  const adapter = adapters.get(isolation)
  if (adapter === undefined || adapter.floorFor !== undefined) return []
  return [
    {
      path: ['service', name, 'isolation'],
      message: `isolation ${quote(isolation)} sets no floor: a server that was taken over could start service.${name} with less confinement than this`,
      value: quote(isolation),
      fix: `ask whoever makes isolation ${quote(isolation)} for floorFor, or set another isolation`,
    },
  ]
}
