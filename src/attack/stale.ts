// What a tenant leaves behind with its listener: it answers whoever comes, long after its parent is gone. Until then both would
// accept, and which of them hears an order to its parent would be chance.
import { createServer } from 'node:http'

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, () => undefined)
const server = createServer((_, response) => response.end('stale'))
// The parent holds the other end and writes nothing: this ends when the parent does.
process.stdin.once('end', () => server.listen({ fd: 3 })).resume()
setTimeout(() => process.exit(), 60_000)
