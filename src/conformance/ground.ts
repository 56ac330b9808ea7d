// Where an adapter is proved: a tenement of its own with a service for every way in which the adapter's instances are reached.
import { chmodSync, copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'smol-toml'
import { cgroupNameFor } from '../cgroups/tree.ts'
import { wordFor } from '../check/promises.ts'
import { findBarrier } from '../check/reachability.ts'
import { isWithin } from '../config/dataDir.ts'
import type { IsolationAdapter, Probe, Reach } from '../isolation/adapter.ts'
import type { Place } from '../proof/place.ts'
import { measurePatience } from './patience.ts'
import { type OwnTenement, startTenement } from './tenement.ts'
import { type Traces, tracesOf, type Watched } from './traces.ts'

export type Listen = Reach['kind']

export interface Candidate {
  /** The module, as an absolute path. */
  readonly file: string
  readonly adapter: IsolationAdapter
  readonly probe: Probe
  /** As in [isolation.NAME]. */
  readonly settings: Readonly<Record<string, unknown>>
  /** As in [service.X.options]. */
  readonly options: Readonly<Record<string, unknown>>
}

export interface Ground {
  readonly candidate: Candidate
  readonly place: Place
  readonly tenement: OwnTenement
  /** How many times longer than on a usual machine things are waited for. */
  readonly patience: number
  readonly listens: readonly Listen[]
  readonly watched: Watched
  /** What there was when nothing had been woken yet. */
  readonly before: Traces
}

const everyListen: readonly Listen[] = ['port', 'fd', 'unix']

/** A port in a network of the instance's own is reached by root alone, as `check` says of a config. */
const listensOf = ({ listens = everyListen, defaults }: IsolationAdapter): readonly Listen[] =>
  listens.filter((listen) => listen !== 'port' || process.geteuid?.() === 0 || defaults.network === 'host')

export const setGround = async (candidate: Candidate, place: Place): Promise<Ground> => {
  const { policy, root } = place
  const code = join(root, 'app')
  mkdirSync(code, { mode: 0o755 })
  chmodSync(code, 0o755) // whatever the umask of the caller
  copyFileSync(fileURLToPath(new URL('app.js', import.meta.url)), join(code, 'app.mjs'))
  const command = [await nodeIn(code, candidate.adapter), 'app.mjs']
  const listens = listensOf(candidate.adapter)
  const watched: Watched = {
    root,
    ownCgroup: cgroupNameFor(policy.runDir),
    uids: policy.tenantUids,
    passing: [join(policy.runDir, 's'), join(policy.runDir, 'u')],
  }
  const patience = measurePatience()
  const config = configFor(candidate, place, listens, { command, code, patience })
  const tenement = await startTenement(place, config, patience)
  return { candidate, place, tenement, patience, listens, watched, before: tracesOf(watched) }
}

/** The Node of this process, or a copy where an instance could not reach it or does not see it. */
const nodeIn = async (code: string, { sight }: IsolationAdapter): Promise<string> => {
  const node = process.execPath
  const isSeen = sight === undefined || sight.shown.some((folder) => isWithin(node, folder))
  if (isSeen && (await findBarrier(node)) === undefined) return node
  copyFileSync(node, join(code, 'node'))
  return join(code, 'node')
}

const configFor = (
  { file, adapter, probe, settings, options }: Candidate,
  { policy }: Place,
  listens: readonly Listen[],
  {
    command,
    code,
    patience,
  }: { readonly command: readonly string[]; readonly code: string; readonly patience: number },
): string => {
  const { tenantUids } = policy
  const accept = [...new Set(probe.lost.flatMap(({ capability }) => wordFor(capability) ?? []))]
  const service = (listen: Listen) => ({
    ...{ command, cwd: code, isolation: 'candidate', listen, accept, options },
    data: '{data_dir}/{name}/{id}',
    stop_timeout: `${5 * patience}s`,
    start_timeout: `${10 * patience}s`,
  })
  return stringify({
    settings: {
      ...{
        listen: '127.0.0.1:0',
        domain: 'test',
        hold_timeout: `${10 * patience}s`,
        state_dir: policy.stateDir,
        run_dir: policy.runDir,
        log_dir: policy.logDir,
      },
      data_dir: policy.dataRoots[0] ?? '',
      ...(tenantUids === undefined ? {} : { tenant_uids: `${tenantUids.first}-${tenantUids.last}` }),
    },
    service: Object.fromEntries(listens.map((listen) => [listen, service(listen)])),
    instances: Object.fromEntries(listens.map((listen) => [listen, ['one']])),
    isolation: {
      candidate: { ...settings, plugin: file, ...(adapter.privileged ? { privileged: true } : {}) },
    },
  })
}
