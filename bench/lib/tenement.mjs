// A whole tenement as a person starts it, on a config of the measurement, and orders to it over its control socket.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { firstByte } from './client.mjs'
import { newTenantUids, repository } from './place.mjs'

/** The TOML of a config for these services, whose directories all lie below `root`. */
export const configFor = (root, uids, settings, services) => `
[settings]
listen = "127.0.0.1:0"
domain = "bench"
data_dir = "${root}/data"
state_dir = "${root}/state"
run_dir = "${root}/run"
log_dir = "${root}/log"
${uids === undefined ? '' : `tenant_uids = "${uids.first}-${uids.last}"`}
${settings}

${services
  .map(
    ({ name, program, args = [], cwd, keys }) =>
      `[service.${name}]\ncommand = ${JSON.stringify([program, ...args])}\ncwd = "${cwd}"\ndata = "{data_dir}/{name}/{id}"\n${keys}\n`,
  )
  .join('\n')}
[instances]
${services.map(({ name, ids = ['main'] }) => `${name} = ${JSON.stringify(ids)}`).join('\n')}
`

/** Resolves when it serves; rejects with what it printed. `from` is the checkout whose build is run. */
export const startTenement = async (root, services, settings = '', from = repository) => {
  const uids = newTenantUids()
  const file = join(root, 'tenement.toml')
  writeFileSync(file, configFor(root, uids, settings, services))
  const child = spawn(process.execPath, [join(from, 'dist/cli/main.js'), 'serve', '--config', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      output = `${output}${chunk}`.slice(-20_000)
    })
  const ended = once(child, 'exit')
  while (!/ on \S+:(\d+)\n/.test(output)) {
    const event = await Promise.race([once(child.stdout, 'data'), ended.then(() => 'ended')])
    if (event === 'ended') throw new Error(`tenement ended: ${output}`)
  }
  const port = Number(/ on \S+:(\d+)\n/.exec(output)[1])

  const control = (method, path) =>
    new Promise((resolve, reject) => {
      const where = { socketPath: join(root, 'run', 'control.sock'), method, path, headers: { host: 'localhost' } }
      const asked = request(where, async (response) => {
        const chunks = await response.toArray()
        resolve({ status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString() || 'null') })
      })
      asked.once('error', reject)
      asked.end()
    })

  const ask = async (service, id = 'main') => {
    const begun = performance.now()
    const { at, status } = await firstByte({ port }, `${id}.${service}.bench`)
    if (status !== 200) throw new Error(`${service}:${id} answered ${status}: ${output}`)
    return at - begun
  }

  return {
    port,
    launcherPid: child.pid,
    serverPid: () => Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'latin1').split(' ')[0]),
    output: () => output,
    /** Milliseconds from the request to the first byte of its answer. */
    ask,
    stop: (service, id = 'main') => control('POST', `/v1/instances/${service}/${id}/stop`),
    /** Also forgives its crashes. */
    enable: (service, id = 'main') => control('POST', `/v1/instances/${service}/${id}/enable`),
    status: async (service, id = 'main') => (await control('GET', `/v1/instances/${service}/${id}`)).body,
    close: async () => {
      child.kill('SIGTERM')
      await ended
      if (uids !== undefined) rmSync(`/run/tenement-uids/${uids.first}-${uids.last}`, { force: true })
    },
  }
}
