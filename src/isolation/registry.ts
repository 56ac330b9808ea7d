// The adapters there are, by the name a service writes. The one place that lists them; nothing else asks an adapter's name.
import type { IsolationAdapter } from './adapter.ts'
import { namespace } from './namespace/index.ts'
import { none } from './none/index.ts'
import type { OptionIssue } from './options.ts'
import { sandbox } from './sandbox/index.ts'

export type Adapters = ReadonlyMap<string, IsolationAdapter>

export const builtinAdapters: Adapters = new Map(
  [none, namespace, sandbox].map((adapter): [string, IsolationAdapter] => [adapter.name, adapter]),
)

/** Why a plug-in provides no adapter. */
export interface PluginFault {
  /** What of [isolation.NAME] is wrong, where the config is at fault and not the plug-in. */
  readonly issues?: readonly OptionIssue[]
  /** The rest of a sentence that begins with the name of the isolation. */
  readonly reason: string
  readonly fix: string
}

/** Every adapter a config can name: those that come with tenement and those of its plug-ins. */
export interface Isolation {
  readonly adapters: Adapters
  /** By the names that their adapters would have. */
  readonly faults: ReadonlyMap<string, PluginFault>
}
