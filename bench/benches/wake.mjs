// From a request for a sleeping instance to the first byte of its answer, for each isolation, beside starting the same server by
// hand: bare, with bubblewrap and the very arguments of the adapter, and with what others offer. One after the other in
// every round; the server inherits its socket, so that no time goes into finding out when it listens.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstByteOnceListening, freePort } from '../lib/client.mjs'
import { makeGround, prepareLaunch, startByHand } from '../lib/launches.mjs'
import { addedTo, inTurn, median, noise, pairedDifference, quantile } from '../lib/numbers.mjs'
import { inPlace } from '../lib/place.mjs'
import { awake, servicesFor } from '../lib/services.mjs'
import { startTenement } from '../lib/tenement.mjs'

export const title = 'first byte of a sleeping instance, a static server in C (ms)'
export const columns = ['how', 'p10', 'p50', 'p95', 'noise', 'ratio', 'over its bare bubblewrap']

/** Started by hand with a listening socket as descriptor 3. */
const inheriting = (name, ground, isolation, argvOf, options) => ({
  name,
  once: async () => {
    const request = await prepareLaunch(ground, isolation)
    const argv = argvOf?.(request)
    const { tookMs, end } = await startByHand(ground, request, { ...options, ...(argv === undefined ? {} : { argv }) })
    await end()
    return tookMs
  },
})

/** Started by hand on a port, asked in a tight loop until it listens. */
const onPort = (name, argvOf, endOf) => ({
  name,
  once: async () => {
    const port = await freePort()
    const [program, ...args] = argvOf(port)
    const begun = performance.now()
    const child = spawn(program, args, { env: { PATH: process.env.PATH, PORT: String(port) }, stdio: 'ignore' })
    const { at } = await firstByteOnceListening({ port }, () => child.exitCode !== null)
    const ended = once(child, 'exit')
    if (endOf === undefined) child.kill('SIGKILL')
    else endOf(port)
    await ended
    return at - begun
  },
})

const woken = (name, tenement, service) => ({
  name,
  once: async () => {
    const tookMs = await tenement.ask(service)
    await tenement.stop(service)
    return tookMs
  },
})

const paths = ['/usr/bin', '/usr/sbin', '/usr/local/bin']
const findProgram = (name) => paths.map((path) => join(path, name)).find(existsSync)

const unshareArguments = [
  ...['--pid', '--fork', '--kill-child', '--mount', '--mount-proc', '--ipc', '--uts', '--net', '--cgroup'],
]

/** A bundle that holds the server and shares the machine's network, as runc would be told to. */
const makeBundle = ({ root, program }) => {
  const bundle = join(root, 'bundle')
  mkdirSync(join(bundle, 'rootfs'), { recursive: true })
  execFileSync('cp', [program, join(bundle, 'rootfs', 'hello')])
  execFileSync(findProgram('runc'), ['spec'], { cwd: bundle })
  const file = join(bundle, 'config.json')
  const spec = JSON.parse(readFileSync(file, 'utf8'))
  spec.process.args = ['/hello']
  spec.process.terminal = false
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }) => type !== 'network')
  return {
    bundle,
    on: (port) => {
      spec.process.env = [`PORT=${port}`]
      writeFileSync(file, JSON.stringify(spec))
    },
  }
}

const runcContestant = (place) => {
  const runc = findProgram('runc')
  const { bundle, on } = makeBundle(place)
  const nameOf = (port) => `tenement-bench-${process.pid}-${port}`
  return onPort(
    "by hand, runc (machine's network)",
    (port) => {
      on(port)
      return [runc, 'run', '--bundle', bundle, nameOf(port)]
    },
    (port) => execFileSync(runc, ['delete', '--force', nameOf(port)], { stdio: 'ignore' }),
  )
}

/** What is measured only where it is installed and can run, each with how it is made. */
const otherMeans = (place, ground) => [
  {
    name: 'unshare',
    make: () =>
      inheriting(
        'by hand, unshare',
        ground,
        'none',
        ({ launch }) => [findProgram('unshare'), ...unshareArguments, ...launch.argv],
        { isIdentityKept: false },
      ),
  },
  {
    name: 'firejail',
    make: () =>
      onPort('by hand, firejail', () => [
        findProgram('firejail'),
        '--quiet',
        '--noprofile',
        '--private',
        place.program,
      ]),
  },
  { name: 'runc', make: () => runcContestant(place) },
  {
    name: 'docker',
    canRun: () => execFileSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }),
    make: () => dockerContestant(place),
  },
]

const dockerContestant = ({ app }) => {
  writeFileSync(join(app, 'Dockerfile'), 'FROM scratch\nCOPY hello /hello\nENTRYPOINT ["/hello"]\n')
  execFileSync('docker', ['build', '--quiet', '--tag', 'tenement-bench', app], { stdio: 'ignore' })
  return onPort(
    "by hand, docker run (machine's network)",
    (port) => [
      ...['docker', 'run', '--rm', '--network', 'host', '--env', `PORT=${port}`, '--name', `tenement-bench-${port}`],
      'tenement-bench',
    ],
    (port) => execFileSync('docker', ['kill', `tenement-bench-${port}`], { stdio: 'ignore' }),
  )
}

const firstLine = (error) =>
  String(error.stderr ?? error.message ?? error)
    .split('\n')[0]
    .slice(0, 100)

/** Tried once, so that what this machine cannot run is a reason in the table instead of a failed measurement. */
const available = async (place, ground) => {
  const found = []
  const skipped = []
  for (const { name, make, canRun } of otherMeans(place, ground)) {
    try {
      if (findProgram(name) === undefined) throw new Error('not installed')
      canRun?.()
      const contestant = make()
      await contestant.once()
      found.push(contestant)
    } catch (error) {
      skipped.push({ how: `by hand, ${name}`, skipped: firstLine(error) })
    }
  }
  return { found, skipped }
}

const onPortByHand = 'by hand, bare, on a port'

export const measure = ({ rounds }) =>
  inPlace(async (place) => {
    const ground = makeGround(place)
    const services = servicesFor(place, ['fd', 'port'])
    const tenement = await startTenement(place.root, services)
    try {
      const { found: others, skipped } = await available(place, ground)
      const { found: awoken, skipped: unwakeable } = await awake(tenement, services, 'how')
      for (const { name } of awoken) await tenement.stop(name)
      const contestants = [
        inheriting('by hand, bare', ground, 'none'),
        onPort(onPortByHand, () => [place.program]),
        inheriting('by hand, bubblewrap as namespace', ground, 'namespace'),
        inheriting('by hand, bubblewrap as sandbox', ground, 'sandbox'),
        ...others,
        ...awoken.map(({ name }) => woken(`tenement, ${name.replace('-', ', ')}`, tenement, name)),
      ]
      const values = await inTurn(contestants, rounds)
      const bare = median(values['by hand, bare'])
      const rows = contestants.map(({ name }) => {
        const isolation = /^tenement, (none|namespace|sandbox)/.exec(name)?.[1]
        const base = isolation === 'none' ? 'by hand, bare' : `by hand, bubblewrap as ${isolation}`
        return {
          how: name,
          p10: quantile(values[name], 0.1),
          p50: median(values[name]),
          p95: quantile(values[name], 0.95),
          noise: noise(values[name]),
          ratio: median(values[name]) / bare,
          ...(isolation === undefined
            ? {}
            : { 'over its bare bubblewrap': pairedDifference(values[name], values[base]) }),
        }
      })
      const goals = addedTo(values['tenement, none, port'], values[onPortByHand], 'a program in C')
      return { rows: [...rows, ...skipped, ...unwakeable], goals, values }
    } finally {
      await tenement.close()
      ground.close()
    }
  })
