// Those who can be asked for the same: one application, reached directly, through tenement, through nginx and through http-proxy.
// The application is an instance of tenement's, on a port, so that all of them lead to the very same process.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort, untilListening } from './client.mjs'
import { compile } from './place.mjs'
import { childrenOf, cores, pin } from './processes.mjs'
import { startTenement } from './tenement.mjs'

const nginxConfig = ({ dir, port, target }) => `
daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${dir}/body;
  proxy_temp_path ${dir}/proxy;
  fastcgi_temp_path ${dir}/fastcgi;
  uwsgi_temp_path ${dir}/uwsgi;
  scgi_temp_path ${dir}/scgi;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  upstream application { server 127.0.0.1:${target}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://application;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      # Passed on as it comes, as the others do it; by default nginx would keep a large body in a file first.
      proxy_request_buffering off;
      proxy_max_temp_file_size 0;
    }
  }
}
`

const startProgram = async ([program, ...args], env, port) => {
  const child = spawn(program, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said = `${said}${chunk}`.slice(-2_000)
  })
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', () => resolve(said))
  })
  let end
  ended.then((reason) => {
    end = reason
  })
  try {
    await untilListening({ port }, () => end !== undefined)
  } catch (error) {
    throw new Error(`${program}: ${end}`, { cause: error })
  }
  return {
    pid: child.pid,
    close: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** It listens before it has made its worker. */
const workerOf = async (pid) => {
  for (let tries = 0; tries < 5_000; tries += 1) {
    const [worker] = childrenOf(pid)
    if (worker !== undefined) return worker
    await delay(1)
  }
  throw new Error('nginx makes no worker')
}

const startNginx = async (root, target) => {
  const dir = join(root, 'nginx')
  mkdirSync(dir)
  const port = await freePort()
  const file = join(dir, 'nginx.conf')
  writeFileSync(file, nginxConfig({ dir, port, target }))
  const { pid, close } = await startProgram(['nginx', '-e', join(dir, 'error.log'), '-p', dir, '-c', file], {}, port)
  return { name: 'nginx', port, host: 'localhost', pid: await workerOf(pid), close }
}

const startHttpProxy = async (target) => {
  const port = await freePort()
  const program = fileURLToPath(new URL('../proxies/httpProxy.mjs', import.meta.url))
  const env = { PORT: String(port), TARGET: `http://127.0.0.1:${target}` }
  return {
    name: 'http-proxy',
    port,
    host: 'localhost',
    ...(await startProgram([process.execPath, program], env, port)),
  }
}

const portOf = (pid) => Number(/(?:^|\0)PORT=(\d+)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))[1])

const startTenementWith = async ({ root, app }, name, dir, from) => {
  const place = join(root, dir)
  mkdirSync(place, { mode: 0o711 })
  const keys = 'isolation = "none"\nlisten = "port"\nidle_timeout = "1h"'
  const tenement = await startTenement(
    place,
    [{ name: 'up', program: join(app, 'upstream'), cwd: app, keys }],
    '',
    from,
  )
  await tenement.ask('up')
  const { pid: instance } = await tenement.status('up')
  pin(instance, cores.others)
  return {
    name,
    port: tenement.port,
    host: 'main.up.bench',
    pid: tenement.serverPid(),
    application: portOf(instance),
    close: tenement.close,
  }
}

/**
 * Calls `use` with those that can run here, the proxies on a core of their own, and a row with the reason for each of the
 * others. BENCH_BESIDE names another checkout, built, whose tenement takes part too: before and after a change in one run.
 */
export const withContestants = async (place, use) => {
  compile('upstream', place.app)
  const started = []
  const skipped = []
  const begin = async (how, start) => {
    try {
      started.push(await start())
      pin(started.at(-1).pid, cores.proxy)
    } catch (error) {
      skipped.push({ how, skipped: String(error.message).split('\n')[0].slice(0, 120) })
    }
  }
  try {
    started.push(await startTenementWith(place, 'tenement', 'own'))
    const [tenement] = started
    pin(tenement.pid, cores.proxy)
    const beside = process.env.BENCH_BESIDE
    if (beside !== undefined)
      await begin('tenement, other', () => startTenementWith(place, 'tenement, other', 'other', beside))
    await begin('nginx', () => startNginx(place.root, tenement.application))
    await begin('http-proxy', () => startHttpProxy(tenement.application))
    const direct = { name: 'direct', port: tenement.application, host: 'localhost' }
    return await use({ contestants: [direct, ...started], skipped })
  } finally {
    for (const { close } of started.reverse()) await close()
  }
}
