// The server process of an attack: it passes on what the conductor says, and what the launcher answers. It gives its rights up
// like any server, so that attacks aim at one as it would be. Without a conductor it ends for good, and the launcher with it.
import { connect } from 'node:net'
import type { ToServer } from '../../launcher/protocol.ts'
import { frame, readFrames } from '../frames.ts'

type Hello = Extract<ToServer, { type: 'hello' }>

/** Another start would not help: `hopelessExit` of the launcher. */
const giveUp = (): never => process.exit(78)

process.once('message', (message) => {
  const hello = message as Hello
  const { serverIdentity } = hello.settings.policy
  const socket = connect(String(hello.settings.server))
  if (serverIdentity !== undefined) {
    process.setgroups?.([])
    process.setgid?.(serverIdentity.gid)
    process.setuid?.(serverIdentity.uid)
  }
  const pass = (said: unknown): void => void socket.write(frame(said))
  pass({ type: 'server', pid: process.pid, runs: hello.runs.map(({ run }) => run) })
  process.on('message', (said) => ((said as ToServer).type === 'end' ? process.exit(0) : pass(said)))
  readFrames(socket, (said) => process.send?.(said))
  socket.on('error', giveUp)
  socket.on('close', giveUp)
})
process.on('disconnect', () => process.exit(0))
