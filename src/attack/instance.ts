// An instance that does what it is told over HTTP, as a tenant whose program was taken over: attack, or be the neighbour who is
// attacked. Everything it answers is a tenant's word.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer as createHttp, type IncomingMessage } from 'node:http'
import { createServer, type ListenOptions, type Server } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { tryAttack } from './attempt.ts'
import { misdeeds } from './misdeeds.ts'
import { descriptors, openDescriptors } from './programs/descriptors.ts'
import { makeShared, readShared, removeShared } from './programs/shared.ts'
import { ownData, type SharedNames } from './targets.ts'

// Before anything else is opened.
const inherited = openDescriptors()

const runFile = fileURLToPath(new URL('run.js', import.meta.url))

const attack = async (topic: string, targets: string): Promise<string> => {
  if (topic === 'descriptors') {
    const tried = []
    for (const each of descriptors(inherited, JSON.parse(targets))) tried.push(await tryAttack(each))
    return tried.map((each) => JSON.stringify(each)).join('\n')
  }
  const child = spawn(process.execPath, [runFile, topic], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(targets)
  const [printed, said] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return said === '' ? printed : `${printed}${JSON.stringify({ failed: said })}\n`
}

/** What it heard from others: connections by where they came in, and signals. */
const heard = { connections: { port: 0, path: 0, abstract: 0 }, signals: 0 }
process.on('SIGWINCH', () => {
  heard.signals += 1
})

const canary = async (place: keyof typeof heard.connections, options: ListenOptions): Promise<Server> => {
  const server = createServer((socket) => {
    heard.connections[place] += 1
    socket.on('error', () => undefined)
    socket.end()
  })
  server.listen(options)
  await once(server, 'listening')
  return server
}

let sharedNames: SharedNames | undefined

/** Becomes a neighbour with something to lose in every place there is. */
const beNeighbour = async (names: SharedNames): Promise<unknown> => {
  sharedNames = names
  writeFileSync(join(ownData(), 'secret'), 'neighbour', { mode: 0o600 })
  makeShared(names, 'neighbour')
  const port = (await canary('port', { port: 0, host: '127.0.0.1' })).address()
  const socket = join(ownData(), 'own.sock')
  const abstractSocket = `${names.name}-abstract`
  await canary('path', { path: socket })
  await canary('abstract', { path: `\0${abstractSocket}` })
  return { port: port !== null && typeof port === 'object' ? port.port : 0, sockets: [socket], abstractSocket }
}

const neighbourNow = (): unknown => ({
  ...heard,
  shared: sharedNames === undefined ? [] : readShared(sharedNames, 'neighbour'.length),
})

const answerTo = async (request: IncomingMessage): Promise<string> => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x')
  const body = await text(request)
  const paths: Readonly<Record<string, () => unknown>> = {
    '/attack': () => attack(searchParams.get('topic') ?? '', body),
    '/neighbour': async () => JSON.stringify(await beNeighbour(JSON.parse(body))),
    '/heard': () => JSON.stringify(neighbourNow()),
    '/who': () => JSON.stringify({ pid: process.pid, uid: process.getuid?.() }),
    '/do': () => misdeeds(searchParams.get('what') ?? '', searchParams),
  }
  const act = Object.hasOwn(paths, pathname) ? paths[pathname] : undefined
  return String(await (act?.() ?? 'up'))
}

const server = createHttp((request, response) => {
  response.setHeader('connection', 'close')
  answerTo(request).then(
    (answer) => response.end(answer),
    (error: unknown) => {
      response.statusCode = 500
      response.end(error instanceof Error ? error.stack : String(error))
    },
  )
})
const { LISTEN_FDS, SOCKET_PATH, PORT } = process.env
if (LISTEN_FDS !== undefined) server.listen({ fd: 3 })
else if (SOCKET_PATH !== undefined) server.listen({ path: SOCKET_PATH })
else server.listen({ host: '127.0.0.1', port: Number(PORT) })

process.on('SIGTERM', () => {
  if (sharedNames !== undefined) removeShared(sharedNames)
  process.exit(0)
})
