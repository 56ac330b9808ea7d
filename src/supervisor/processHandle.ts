// A run of the launcher's → the process that the supervisor has in its hands: connections to it, and orders that the launcher carries out.
// What the launcher refuses because the run has ended meanwhile is no error: its exit tells.
import type { Service } from '../config/schema.ts'
import { messageOf } from '../errors.ts'
import type { LauncherClient } from '../launcher/client.ts'
import type { RunRecord } from '../launcher/protocol.ts'
import { formatInstance } from '../names.ts'
import type { Exit, Process } from './process.ts'
import { connectTo, type ListenersOn } from './reach.ts'

export interface HandleOptions {
  readonly launcher: LauncherClient
  readonly listenersOn: ListenersOn
  /** Told of a stop that the launcher refused. */
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

/** `onExit` is called before anybody else hears that nothing of it is left. */
export const handleOf = (
  record: RunRecord,
  { stopSignal, stopTimeoutMs }: Pick<Service, 'stopSignal' | 'stopTimeoutMs'>,
  { launcher, listenersOn, warn }: HandleOptions,
  onExit: () => void,
): Process => {
  const { run, pid, startedAtMs, attestation } = record
  const { reach, identity } = record.launch
  const exited = new Promise<Exit>((resolve) => {
    launcher.whenExited(run, (exit) => {
      onExit()
      resolve(exit)
    })
  })
  const stop = async (signal: string, timeoutMs: number): Promise<Exit> => {
    try {
      await launcher.ask<'stop'>({ type: 'stop', run, signal, timeoutMs })
    } catch (error) {
      // Its exit is on its way, and is awaited below either way.
      warn('a run could not be stopped', { instance: formatInstance(record), error: messageOf(error) })
    }
    return exited
  }
  return {
    ...{ run, pid, uid: identity?.uid, startedAtMs, exited },
    ...(attestation === undefined ? {} : { attestation }),
    stored: () => launcher.storedBy(run),
    connect: connectTo(reach, identity, { listenersOn, openInside: () => launcher.openConnection(run) }),
    ...(reach.kind === 'fd' ? { isAccepting: () => launcher.ask<'accepting'>({ type: 'accepting', run }) } : {}),
    watchOutput: (onLine) => {
      launcher.onLines(run, onLine)
      return () => {
        launcher.onLines(run, undefined)
        ignoreEnded(launcher.ask<'watch'>({ type: 'watch', run, on: false }))
      }
    },
    stop: () => stop(stopSignal, stopTimeoutMs),
    kill: () => stop('SIGKILL', 0),
    setFrozen: (on) => launcher.ask<'freeze'>({ type: 'freeze', run, on }).catch(() => false),
    note: (note) => ignoreEnded(launcher.ask<'note'>({ type: 'note', run, note })),
  }
}

/** A run that ended has nothing left to note or to watch. */
const ignoreEnded = (asked: Promise<unknown>): void => {
  asked.catch(() => undefined)
}
