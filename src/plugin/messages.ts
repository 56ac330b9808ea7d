// What is said between tenement and the thread of a plug-in. Plain data: what cannot be cloned never arrives.

import type { HookData } from './hooks.ts'

/** What the thread is told at its start. */
export interface ThreadData {
  /** The module, as an absolute path without symbolic links. */
  readonly file: string
  /** The keys of [isolation.NAME] as they were written. */
  readonly written: Readonly<Record<string, unknown>>
  readonly hooks: HookData
}

export interface Calls {
  /** What is wrong with the keys of [isolation.NAME]. */
  settings: readonly []
  /** What is wrong with [service.X.options]. */
  options: readonly [written: unknown]
  probe: readonly [machine: unknown]
  prepare: readonly [plan: unknown]
  floorFor: readonly [inputs: unknown]
  /** Answers nothing: only a thread that is not busy answers at all. */
  ping: readonly []
}

export type CallName = keyof Calls

export interface ToThread {
  readonly call: number
  readonly name: CallName
  readonly args: readonly unknown[]
}

export type FromThread =
  /** From now on it is the plug-in that takes time. */
  | { readonly type: 'begins' }
  | { readonly type: 'defined'; readonly description: unknown }
  | { readonly type: 'not defined'; readonly message: string; readonly fix: string | undefined }
  | { readonly type: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly type: 'threw'; readonly call: number; readonly message: string; readonly fix: string | undefined }
