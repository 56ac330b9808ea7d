// Who is at the other end of a control connection. The socket's mode keeps other users out; where tenants share tenement's own
// uid it cannot, so the process itself is looked at. One that shed both its session and its environment is not recognised:
// without root that is best-effort, and reported as such.
import type { Socket } from 'node:net'
import { peerOf } from '../launcher/libc.ts'
import { isMember } from '../launcher/processes.ts'
import { groupOf, leaderOf } from '../launcher/records.ts'

/** What the check knows of each instance that runs now. */
export interface LiveRun {
  readonly run: string
  readonly pid: number
  readonly uid: number | undefined
}

/** The descriptor of a connected socket. Node keeps it to itself; without it nobody can be recognised, so nobody is let in. */
const descriptorOf = (socket: Socket): number => {
  const handle: unknown = Reflect.get(socket, '_handle')
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined
  if (typeof fd !== 'number' || fd < 0) throw new Error('this Node does not tell the descriptor of a socket')
  return fd
}

/** False for a process of an instance. Throws where the kernel does not say who is there. */
export const peerCheckFor =
  (liveRuns: () => Iterable<LiveRun>, tenantUids: { readonly first: number; readonly last: number } | undefined) =>
  (socket: Socket): boolean => {
    const peer = peerOf(descriptorOf(socket))
    if (tenantUids !== undefined && peer.uid >= tenantUids.first && peer.uid <= tenantUids.last) return false
    // Also where the leader has ended: whoever is still of its session is the instance's until the run is over.
    for (const { run, pid, uid } of liveRuns())
      if (
        isMember(
          peer.pid,
          groupOf(run, leaderOf(pid) ?? { pid, startTicks: 0 }, { identity: uid === undefined ? undefined : { uid } }),
        )
      )
        return false
    return true
  }
