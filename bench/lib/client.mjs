// The client of every measurement: one request on a connection of its own, and when its first byte of a body came.
import { once } from 'node:events'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** `where` is { port } or { socketPath }. Resolves with the time of the first byte and the status; rejects without an answer. */
export const firstByte = (where, host = 'localhost') =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', ...where, headers: { host }, agent: false }, (response) => {
      response.once('data', () => {
        resolve({ at: performance.now(), status: response.statusCode })
        response.destroy()
      })
      response.once('error', () => undefined)
    })
    asked.once('error', reject)
    asked.end()
  })

const isListening = (where) =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', ...where, path: where.socketPath })
    socket.once('connect', () => resolve(socket.destroy() !== undefined)).once('error', () => resolve(false))
  })

/** Tries every millisecond; for what is not measured. */
export const untilListening = async (where, hasEnded) => {
  while (!(await isListening(where))) {
    if (hasEnded()) throw new Error('it ended before it listened')
    await delay(1)
  }
}

/**
 * First byte from a program that was just started by hand: asked again and again without a pause until it listens, each time
 * with the request itself, so that what counts is its first answer and nothing after it was found listening.
 */
export const firstByteOnceListening = async (where, hasEnded) => {
  for (;;)
    try {
      return await firstByte(where)
    } catch (error) {
      if (error.code !== 'ECONNREFUSED') throw error
      if (hasEnded()) throw new Error('it ended before it listened', { cause: error })
    }
}

/** A port of the machine's that nobody listens on. */
export const freePort = async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
