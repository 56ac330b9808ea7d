// undici reads and compiles its HTTP parser when it makes its first connection. A server that has given up root may not be able
// to open that file any more, so it makes a first connection before: to nowhere, on a socket that was never connected.
import { Socket } from 'node:net'
import { Client } from 'undici'

/** Resolves when the parser is in memory; rejects when it cannot be loaded. */
export const loadParser = async (): Promise<void> => {
  const client = new Client('http://nowhere.invalid', { connect: (_options, done) => done(null, new Socket()) })
  const connected = new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('connectionError', (_url, _targets, error) => reject(error))
  })
  // A request is what makes it connect. It leaves for nowhere, and its failure says nothing.
  const ignore = (): void => undefined
  client.dispatch({ method: 'GET', path: '/' }, { onRequestStart: ignore, onResponseError: ignore })
  await connected
  await client.destroy()
}
