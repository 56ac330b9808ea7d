// A supervisor of this process with programs that do nothing, so that what is measured is the supervisor's own: its memory for
// each instance, and how late it does what it was to do.
import { mkdtempSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { repository } from './place.mjs'

const load = (module) => import(join(repository, 'dist', module))

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

/** Bytes of the heap that are in use, and nothing else. */
export const usedHeap = () => {
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

const exit = {
  code: 0,
  signal: null,
  outOfMemory: false,
  refusedForks: 0,
  outOfStorage: false,
  endedFor: null,
  lastLines: [],
}

/** Ready at once, and gone as soon as it is asked to stop. */
const program = (run, onStop) => {
  let end
  const exited = new Promise((resolve) => {
    end = () => resolve(exit)
  })
  return {
    run,
    pid: 1,
    uid: undefined,
    startedAtMs: Date.now(),
    exited,
    stored: () => undefined,
    connect: async () => new Socket(),
    watchOutput: () => () => undefined,
    setFrozen: async () => true,
    note: () => undefined,
    kill: async () => exit,
    stop: () => {
      onStop()
      end()
      return exited
    },
  }
}

/** `onStop` is called with the name of each instance that is asked to stop. */
export const withFleet = async (ids, idleTimeoutMs, onStop, use) => {
  const [{ createSupervisor }, { openState }, { systemClock }] = await Promise.all([
    load('supervisor/supervisor.js'),
    load('state/state.js'),
    load('supervisor/clock.js'),
  ])
  const directory = mkdtempSync(join(tmpdir(), 'tenement-bench-'))
  const state = openState(directory)
  const silent = () => undefined
  const rules = {
    name: 'api',
    ready: { kind: 'tcp' },
    autostart: false,
    open: false,
    queueMax: 100,
    startTimeoutMs: 60_000,
    stopTimeoutMs: 10_000,
    drainTimeoutMs: 30_000,
    idleTimeoutMs,
    responseTimeoutMs: 120_000,
    livenessStrict: false,
    freezeAfterMs: undefined,
  }
  const supervisor = createSupervisor({
    settings: { maxConcurrentWakes: 1_000, holdTimeoutMs: 60_000 },
    configFile: 'tenement.toml',
    services: new Map([['api', rules]]),
    serviceFor: (service) => service,
    declared: new Map([['api', ids]]),
    startProcess: async ({ id }) => program(id, () => onStop(id)),
    tracing: { next: () => '', noMore: silent },
    state,
    describe: {},
    purge: async () => undefined,
    clock: systemClock,
    log: { info: silent, warn: silent, error: silent },
    random: Math.random,
  })
  try {
    return await use(supervisor)
  } finally {
    await supervisor.shutdown()
    state.close()
    rmSync(directory, { recursive: true, force: true })
  }
}
