// What a service gets of its adapter where it says nothing itself. It knows which options the service wrote, and nothing else of it.
import type { Defaults, IsolationAdapter } from './adapter.ts'
import { readOptions } from './options.ts'

/** Rejects with 'invalid_config' for options the adapter does not understand. */
export const defaultsOf = async (
  adapter: IsolationAdapter,
  written: Readonly<Record<string, unknown>>,
): Promise<Defaults> => adapter.defaultsFor?.(await readOptions(adapter.options, written)) ?? adapter.defaults
