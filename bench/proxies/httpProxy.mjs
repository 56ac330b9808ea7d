// The http-proxy package as most people run it: one process, connections to the application kept. PORT and TARGET say where.
import { Agent, createServer } from 'node:http'
import httpProxy from 'http-proxy'

const proxy = httpProxy.createProxyServer({
  target: process.env.TARGET,
  agent: new Agent({ keepAlive: true }),
  xfwd: true,
})
proxy.on('error', (_error, _req, res) => res.destroy())
createServer((req, res) => proxy.web(req, res)).listen(process.env.PORT, '127.0.0.1')
