// What a tenant leaves behind with its listener: it answers whoever comes, long after its parent is gone.
import { createServer } from 'node:http'

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.on(signal, () => undefined)
createServer((_, response) => response.end('stale')).listen({ fd: 3 })
setTimeout(() => process.exit(), 60_000)
