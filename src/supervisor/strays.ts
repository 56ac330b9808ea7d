// Processes an earlier server left that belong to no instance any more: ended, and until then nothing is started in their
// place. An instance that is configured again the next minute would otherwise share its data with its own past.
import { messageOf } from '../errors.ts'
import type { Log } from './log.ts'
import type { Process } from './process.ts'

export interface Strays {
  /** Ends a process that was the instance 'service:id'. */
  end(instance: string, process: Process): void
  /** Resolves when none of the instance is left, or, without a name, none at all. */
  gone(instance?: string): Promise<void>
}

export const createStrays = (log: Log): Strays => {
  const strays = new Map<Process, string>()
  return {
    end(instance, process) {
      log.info({ instance, pid: process.pid }, 'is not configured any more, so its process is ended')
      strays.set(process, instance)
      process.stop().catch((error: unknown) => {
        log.error({ instance, pid: process.pid, error: messageOf(error) }, 'could not be told to end')
      })
      void process.exited.then(() => strays.delete(process))
    },
    async gone(instance) {
      const awaited = [...strays].filter(([, whose]) => instance === undefined || whose === instance)
      await Promise.all(awaited.map(([{ exited }]) => exited))
    },
  }
}
