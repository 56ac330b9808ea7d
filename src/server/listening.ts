// The sockets that the launcher holds, as servers listen on them and as people read of them.
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { ListenAddress } from '../launcher/protocol.ts'

/** Where they listen, but for unix sockets. */
export const listening = (servers: readonly Server[]): ListenAddress[] =>
  servers.flatMap((server) => {
    const address = server.address()
    return address === null || typeof address === 'string' ? [] : [{ host: address.address, port: address.port }]
  })

/** '[::1]:80' */
export const written = ({ host, port }: ListenAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

export const listenOn = async (server: Server, fd: number): Promise<void> => {
  server.listen({ fd })
  await once(server, 'listening')
}
