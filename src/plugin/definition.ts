// What the author of an adapter writes: one value, `export default defineAdapter({ ... })`. It is looked at once when tenement
// starts, in a thread of its own; everything it takes and gives is plain data, so that nothing of it can reach into tenement.
// How a plug-in is found, loaded and held to its word is not known here.
import type {
  Defaults,
  Floor,
  FloorInputs,
  Launch,
  LaunchPlan,
  Machine,
  Network,
  Probe,
  Reach,
  Sight,
  Strength,
} from '../isolation/adapter.ts'
import type { CapabilityName } from '../isolation/capabilities.ts'
import type { OptionsSchema } from '../isolation/options.ts'

/** What there is to read where an adapter declares no options or settings. */
export type Nothing = Readonly<Record<string, never>>

/**
 * An isolation adapter. `Options` is what its `options` schema makes of [service.X.options], `Settings` what its `settings` schema
 * makes of the keys of [isolation.NAME] beside `plugin` and `privileged`.
 */
export interface AdapterDefinition<Options = Nothing, Settings = Nothing> {
  /** What it is called where nobody has named it in a config yet; in a config it bears the NAME of [isolation.NAME]. */
  readonly name: string
  /** The version of this interface. Another one is refused, never guessed at. */
  readonly apiVersion: 1
  /** Whether the programs it starts must begin as root. It is refused unless the config says `privileged = true` too. */
  readonly privileged?: boolean
  /** What it promises on every machine. What is not listed is absent; each promise is proved by `conformance`. */
  readonly capabilities: Readonly<Partial<Record<CapabilityName, Strength>>>
  /** What a service that says nothing gets. Left out: the machine's network, no seccomp profile and no limits. */
  readonly defaults?: Defaults
  /** Promises without which no service runs on a machine that cannot keep them. */
  readonly needs?: readonly CapabilityName[]
  /** The networks a service may have. Left out: all that the promises allow. */
  readonly networks?: readonly Network[]
  /** How its instances can be reached, of `listen` in a config. Left out: in every way. */
  readonly listens?: readonly Reach['kind'][]
  /** What of the machine an instance sees. Left out where it sees all files as they are. */
  readonly sight?: Sight
  /** Reads the keys of [isolation.NAME]: any Standard Schema, such as one of zod, valibot or arktype. */
  readonly settings?: OptionsSchema<Settings>
  /** Reads [service.X.options]. */
  readonly options?: OptionsSchema<Options>
  /** Whether this machine can run it. Looks, and changes nothing. Answers within ten seconds. */
  probe(machine: Machine, settings: Settings): Probe | Promise<Probe>
  /**
   * The least that every launch of `prepare` comes with, which the launcher then holds a server to that was taken over. Left out,
   * nothing does, and `check` says so. Pure.
   */
  floorFor?(inputs: FloorInputs<Options>): Floor
  /** A launch that meets the whole plan; otherwise it throws, and leaves nothing behind. Answers within five seconds. */
  prepare(plan: LaunchPlan<Options>, settings: Settings): Launch | Promise<Launch>
}

/** Gives the definition back as it is: it is there for what an editor then knows of it. */
export const defineAdapter = <Options = Nothing, Settings = Nothing>(
  definition: AdapterDefinition<Options, Settings>,
): AdapterDefinition<Options, Settings> => definition

/** An error with the next step for whoever runs tenement: `throw new AdapterError('runc is not there', { fix: 'apt install runc' })`. */
export class AdapterError extends Error {
  override readonly name = 'AdapterError'
  readonly fix: string | undefined

  constructor(message: string, { fix, cause }: { readonly fix?: string; readonly cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.fix = fix
  }
}
