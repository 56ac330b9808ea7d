// Who exists: which instances are declared in tenement.toml, which were added while running, and which may come to be by a
// request because their service is open. It knows names only; an instance that nobody asked for yet is nothing more.
import { formatInstance, type InstanceName, isName, parseInstance } from '../names.ts'

export type Source = 'config' | 'added' | 'open'

export interface RosterOptions {
  /** Whether a service takes any well-formed id, by service name. */
  readonly isOpen: ReadonlyMap<string, boolean>
  /** Declared ids by service name. */
  readonly declared: ReadonlyMap<string, readonly string[]>
  /** 'service:id' of instances added by command. */
  readonly added: readonly string[]
}

export class Roster {
  readonly #isOpen: ReadonlyMap<string, boolean>
  readonly #declared: ReadonlySet<string>
  readonly #added: Set<string>

  constructor({ isOpen, declared, added }: RosterOptions) {
    this.#isOpen = isOpen
    this.#added = new Set(added)
    this.#declared = new Set(
      [...declared].flatMap(([service, ids]) => ids.map((id) => formatInstance({ service, id }))),
    )
  }

  hasService(service: string): boolean {
    return this.#isOpen.has(service)
  }

  /** Undefined when there is no such instance and no request may make one. */
  sourceOf(name: InstanceName): Source | undefined {
    if (!this.hasService(name.service)) return undefined
    const key = formatInstance(name)
    if (this.#declared.has(key)) return 'config'
    if (this.#added.has(key)) return 'added'
    return this.#isOpen.get(name.service) === true && isName(name.id) ? 'open' : undefined
  }

  add(name: InstanceName): void {
    this.#added.add(formatInstance(name))
  }

  remove(name: InstanceName): void {
    this.#added.delete(formatInstance(name))
  }

  /** Every declared and added instance of a service there is. */
  named(): InstanceName[] {
    const names = [...this.#declared, ...this.#added].flatMap((key) => parseInstance(key) ?? [])
    return names.filter(({ service }) => this.hasService(service))
  }
}
