// Hears from every instance of hello.c when it was told to end, and when it was gone.
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

/** Milliseconds of CLOCK_MONOTONIC, which is what a program in C reads. */
export const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6

const withResolvers = () => {
  let resolve
  const promise = new Promise((each) => {
    resolve = each
  })
  return { promise, resolve }
}

/** `untilEnded` resolves with both times of the instance of that name, whenever it ends. */
export const watchEnds = async (path) => {
  const ends = new Map()
  const endOf = (name) => {
    const known = ends.get(name) ?? withResolvers()
    ends.set(name, known)
    return known
  }
  const server = createServer((socket) => {
    let name
    let signalledMs
    socket.on('error', () => undefined)
    createInterface({ input: socket }).on('line', (line) => {
      if (name === undefined) name = line
      else signalledMs = Number(line) / 1e6
    })
    socket.once('close', () => endOf(name).resolve({ signalledMs, endedMs: monotonicMs() }))
  }).listen(path)
  await once(server, 'listening')
  chmodSync(path, 0o777)
  return {
    untilEnded: async (name) => {
      const end = await endOf(name).promise
      ends.delete(name)
      return end
    },
    close: () => server.close(),
  }
}
