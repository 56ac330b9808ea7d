// What instances run while an adapter is proved: a server that is reached in every way there is, does as it is told, and notes in
// its data directory what befell it. It is copied alone into a folder of its own, so it imports nothing but Node's modules.
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { appendFileSync, openSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const { HOME = '', LISTEN_FDS, SOCKET_PATH, PORT, TENEMENT_INSTANCE } = process.env
/** The same as long as this very process lives: pids are no use, since in a namespace of its own it may always be the second. */
const life = randomUUID()

/**
 * Leaves a process behind that has left its parent and its session and heeds no signal. It and all below it hold the FIFO open, so
 * that whoever reads it finds its end exactly when the last of them is gone (fifo(7)). Ends by itself in a minute.
 */
const leaveProcess = (): string => {
  const fifo = join(HOME, 'alive')
  spawnSync('mkfifo', [fifo])
  const fd = openSync(fifo, 'r+') // for writing alone it would wait for a reader
  const script = 'trap "" TERM HUP INT; (trap "" TERM; sleep 60) & echo x >&3; sleep 60'
  spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'ignore', 'ignore', fd] }).unref()
  return 'left'
}

const about = (): string =>
  JSON.stringify({
    ...{ life, instance: TENEMENT_INSTANCE, cwd: process.cwd() },
    ...{ uid: process.getuid?.(), groups: process.getgroups?.(), environment: Object.keys(process.env) },
  })

const answers: Readonly<Record<string, () => string>> = {
  '/': about,
  '/note': () => {
    appendFileSync(join(HOME, 'notes'), `${life}\n`)
    return 'noted'
  },
  '/leave': leaveProcess,
}

const server = createServer((request, response) => {
  const act = answers[request.url ?? '/']
  response.setHeader('connection', 'close')
  if (act === undefined) response.statusCode = 404
  response.end(act?.())
})
if (LISTEN_FDS !== undefined) server.listen({ fd: 3 })
else if (SOCKET_PATH !== undefined) server.listen({ path: SOCKET_PATH })
else server.listen({ host: '127.0.0.1', port: Number(PORT) })

process.on('SIGTERM', () => {
  appendFileSync(join(HOME, 'ended'), `${life}\n`)
  process.exit(0)
})
