// A launcher whose answers are timed. Everything else is the launcher's own.
import type { LauncherClient } from '../launcher/client.ts'

type Ask = LauncherClient['ask']

/** `onAnswer` is told the kind of each request and how long its answer took, failures included. */
export const timedLauncher = (
  launcher: LauncherClient,
  onAnswer: (request: string, tookMs: number) => void,
): LauncherClient => {
  const ask: Ask = async (request) => {
    const begunMs = performance.now()
    try {
      return await launcher.ask(request)
    } finally {
      onAnswer(request.type, performance.now() - begunMs)
    }
  }
  return { ...launcher, ask }
}
