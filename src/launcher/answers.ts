// Messages of the server → what is done and what is answered. Each is parsed and held against the policy before anything is done; what a
// server that has ended meanwhile asked for is taken back.
import { closeSync } from 'node:fs'
import { messageOf } from '../errors.ts'
import type { ConnectInside } from './connect.ts'
import { Malformed, parseRequest, requestNumberOf } from './parseRequest.ts'
import { checkIdentity, Refused } from './policy.ts'
import type { Policy, Results, ToLauncher } from './protocol.ts'
import { purgeDirectory } from './purge.ts'
import type { Runs } from './runs.ts'
import { RefusedPath, rootOf } from './safePath.ts'
import type { Line } from './serverProcess.ts'
import { liftQuota } from './storage/quota.ts'

/** Resolves when the message was answered. `onUp` is called when the server says that it serves. */
export const createAnswers = (
  policy: Policy,
  runs: Runs,
  connectInside: ConnectInside,
  onUp: () => void,
): ((message: unknown, line: Line) => Promise<void>) => {
  const handlers = handlersFor(policy, runs, connectInside, onUp)
  return (message, line) => answer(message, handlers, runs, line)
}

type Handlers = {
  readonly [T in keyof Results]: (
    request: Extract<ToLauncher, { type: T }>,
    line: Line,
  ) => Promise<Results[T]> | Results[T]
}

const handlersFor = (policy: Policy, runs: Runs, connectInside: ConnectInside, onUp: () => void): Handlers => ({
  launch: (request) => runs.launch(request),
  stop: async ({ run, signal, timeoutMs }) => {
    await runs.stop(run, signal, timeoutMs)
    return null
  },
  freeze: ({ run, on }) => runs.setFrozen(run, on),
  note: ({ run, note }) => {
    runs.note(run, note)
    return null
  },
  accepting: ({ run }) => runs.isAccepting(run),
  connect: async ({ run, request }, { handOver }) => {
    const { network, port } = runs.networkOf(run)
    const socket = await connectInside(network, port)
    try {
      handOver(socket, request)
      return null
    } finally {
      closeSync(socket)
    }
  },
  watch: ({ run, on }) => {
    runs.watch(run, on)
    return null
  },
  purge: async ({ path, identity }) => {
    checkIdentity(policy, identity)
    if (identity !== undefined && runs.hasUid(identity.uid)) throw new Refused(`uid ${identity.uid} is still in use`)
    const root = rootOf(policy.dataRoots, path)
    if (path === root) throw new Refused(`"${path}" holds the data of every instance`)
    const isGone = await purgeDirectory(root, path, identity)
    // Who was started in the same moment keeps the bound that it was started with.
    if (identity !== undefined && !runs.hasUid(identity.uid)) liftQuota(policy, root, identity)
    return isGone
  },
  up: () => {
    onUp()
    return null
  },
})

const answer = async (message: unknown, handlers: Handlers, runs: Runs, line: Line): Promise<void> => {
  const number = requestNumberOf(message)
  try {
    const request = parseRequest(message)
    const handler = handlers[request.type] as (request: ToLauncher, line: Line) => unknown
    const value = await handler(request, line)
    const isHeard = line.send({ type: 'reply', request: request.request, value })
    // The server that asked for it has ended, and the next one was greeted without it: nobody would ever stop it.
    if (!isHeard && request.type === 'launch') await runs.stop(request.run, 'SIGKILL', 0)
  } catch (error) {
    if (number === undefined) return // nobody could tell what the answer belongs to
    const isRefusal = error instanceof Refused || error instanceof RefusedPath || error instanceof Malformed
    line.send({ type: 'failed', request: number, code: isRefusal ? 'refused' : 'failed', message: messageOf(error) })
  }
}
