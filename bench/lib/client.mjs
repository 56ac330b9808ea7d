// The client of every measurement: one request on a connection of its own, and when its first byte of a body came.
import { request } from 'node:http'
import { connect } from 'node:net'

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

/** Connects in a tight loop, as whoever starts a program by hand would have to. */
export const untilListening = async (where, hasEnded) => {
  while (!(await isListening(where))) if (hasEnded()) throw new Error('it ended before it listened')
}
