// The adapters there are, by the name a service writes. The one place that lists them; nothing else asks an adapter's name.
import type { IsolationAdapter } from './adapter.ts'
import { namespace } from './namespace/index.ts'
import { none } from './none/index.ts'
import { sandbox } from './sandbox/index.ts'

export type Adapters = ReadonlyMap<string, IsolationAdapter>

export const builtinAdapters: Adapters = new Map(
  [none, namespace, sandbox].map((adapter): [string, IsolationAdapter] => [adapter.name, adapter]),
)
