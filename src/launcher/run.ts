// One run of an instance, as it is handed from its start to its life and its end. Data alone: what is done with it is told by
// startRun.ts, liveRun.ts and endRun.ts.
import type { Cgroups } from '../cgroups/cgroups.ts'
import type { RunCgroup } from '../cgroups/runCgroup.ts'
import type { Networks } from './networks.ts'
import type { Output } from './output.ts'
import type { PreparedNetwork } from './prepareNetwork.ts'
import type { Group } from './processes.ts'
import type { Policy, Request, RunRecord, Stored } from './protocol.ts'
import type { Spawned } from './spawn.ts'
import type { HeldQuota } from './storage/quota.ts'

export type LaunchRequest = Extract<Request, { type: 'launch' }>

/** What all runs of a launcher share. */
export interface Site {
  readonly policy: Policy
  readonly networks: Networks
  /** Whether a directory for sockets can be a small file system of its own, in which no symlink is followed. */
  readonly canMount: boolean
  readonly cgroups: Cgroups
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** How a run is ended whole. */
export type RunGroup = Group & { readonly cgroup: RunCgroup | undefined }

/** A run whose application executes, in its confines. */
export interface Started {
  readonly record: RunRecord
  readonly spawned: Spawned
  readonly group: RunGroup
  /** Its own network, where connections are opened in it or it leads out. */
  readonly network: PreparedNetwork | undefined
  /** What its file system holds it to; absent where it has no bound, or none is kept there. */
  readonly quota: HeldQuota | undefined
}

/** A run that is looked after: its output is read, its bounds are watched. */
export interface Attended extends Started {
  readonly output: Output
  /** How many processes lie between the program that was started and the application, which gets the stop signal. */
  readonly depth: number
  /** `isKilled`: SIGKILL was sent from here, so that it says nothing about memory. `endedFor`: why the launcher ended it. */
  readonly state: { note: unknown; isKilled: boolean; isFrozen: boolean; endedFor: string | null; stored?: Stored }
}

export interface Run extends Attended {
  /** Resolves when the last process is gone and the exit was reported. */
  readonly ended: Promise<void>
}

export const nameOf = ({ service, id }: RunRecord): string => `${service}:${id}`
