// How long a request to a sleeping instance takes to its first byte, against starting the same program by hand and connecting
// in a tight loop. Both in one run, in turn; medians, 95th percentiles and what tenement adds. `node bench/wake.mjs [rounds]`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const rounds = Number(process.argv[2] ?? 40)
const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const root = mkdtempSync(join(tmpdir(), 'tenement-bench-'))
chmodSync(root, 0o755)
mkdirSync(join(root, 'app'))
chmodSync(join(root, 'app'), 0o755)
writeFileSync(
  join(root, 'app', 'hello.mjs'),
  `import { createServer } from 'node:http'; createServer((_, res) => res.end('hello')).listen(process.env.PORT, '127.0.0.1')`,
  { mode: 0o644 },
)
const programs = { node: { cwd: join(root, 'app'), argv: ['/usr/bin/env', 'node', 'hello.mjs'] } }
if (existsSync(at('../examples/hello-c/hello'))) programs.c = { cwd: at('../examples/hello-c'), argv: ['./hello'] }

const firstByte = (port, host) =>
  new Promise((resolve, reject) => {
    const req = request({ port, host: '127.0.0.1', headers: { host }, agent: false }, (res) => {
      res.once('data', () => resolve(performance.now()))
      res.resume()
    })
    req.once('error', reject)
    req.end()
  })

const isListening = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(socket.destroy() && true)).once('error', () => resolve(false))
  })

const byHand = async ({ cwd, argv: [program, ...args] }, port) => {
  const begun = performance.now()
  const child = spawn(program, args, { cwd, stdio: 'ignore', env: { PATH: process.env.PATH, PORT: String(port) } })
  while (!(await isListening(port)));
  const took = (await firstByte(port, 'localhost')) - begun
  child.kill('SIGKILL')
  await once(child, 'exit')
  return took
}

const control = (method, path) =>
  new Promise((resolve, reject) => {
    const req = request(
      { socketPath: join(root, 'run', 'control.sock'), method, path, headers: { host: 'localhost' } },
      (res) => {
        res.resume()
        res.once('end', resolve)
      },
    )
    req.once('error', reject)
    req.end()
  })

const startTenement = async () => {
  const services = Object.entries(programs).map(
    ([name, { cwd, argv }]) =>
      `[service.${name}]\ncommand = ${JSON.stringify(argv)}\ncwd = "${cwd}"\nisolation = "none"\ndata = "{data_dir}/{name}/{id}"\n`,
  )
  const instances = Object.keys(programs).map((name) => `${name} = ["main"]`)
  writeFileSync(
    join(root, 'tenement.toml'),
    `[settings]\nlisten = "127.0.0.1:0"\ndomain = "bench"\ndata_dir = "data"\nstate_dir = "state"\nrun_dir = "run"\nlog_dir = "log"\ntenant_uids = "500000000-500000099"\n${services.join('')}[instances]\n${instances.join('\n')}\n`,
  )
  const child = spawn(process.execPath, [at('../dist/cli/main.js'), 'serve', '--config', join(root, 'tenement.toml')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  while (!/ on \S+:(\d+)\n/.test(output)) output += (await once(child.stdout, 'data'))[0]
  return { child, port: Number(/ on \S+:(\d+)\n/.exec(output)[1]) }
}

const quantile = (values, q) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))]
const shown = (ms) => ms.toFixed(1).padStart(7)

const { child, port } = await startTenement()
const results = {}
try {
  for (const [name, program] of Object.entries(programs)) {
    const [hand, wake] = [[], []]
    for (let round = -2; round < rounds; round += 1) {
      const one = await byHand(program, 9_800 + (round & 63))
      const begun = performance.now()
      const other = (await firstByte(port, `main.${name}.bench`)) - begun
      await control('POST', `/v1/instances/${name}/main/stop`)
      if (round < 0) continue // warm
      hand.push(one)
      wake.push(other)
    }
    results[name] = {
      rounds,
      hand: [quantile(hand, 0.5), quantile(hand, 0.95)],
      wake: [quantile(wake, 0.5), quantile(wake, 0.95)],
    }
  }
} finally {
  child.kill('SIGTERM')
  await once(child, 'exit')
  rmSync(root, { recursive: true, force: true })
}
console.log('first byte, ms    by hand p50    p95   woken p50    p95   added p50    p95')
for (const [name, { hand, wake }] of Object.entries(results))
  console.log(
    `${name.padEnd(17)} ${shown(hand[0])} ${shown(hand[1])}     ${shown(wake[0])} ${shown(wake[1])}     ${shown(wake[0] - hand[0])} ${shown(wake[1] - hand[1])}`,
  )
