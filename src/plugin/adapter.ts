// A plug-in as the rest of tenement knows adapters. What it answers is read as if a stranger had sent it: a launch by the very
// parser of the launcher, so that its author hears in his own words what the launcher would refuse. The code runs elsewhere.
import { TenementError } from '../errors.ts'
import type { Floor, FloorInputs, IsolationAdapter, Launch, LaunchPlan, Machine, Probe } from '../isolation/adapter.ts'
import type { OptionsSchema } from '../isolation/options.ts'
import { resourcesOf, storageOf } from '../isolation/resources.ts'
import { Malformed, parseLaunch } from '../launcher/parseRequest.ts'
import { type Description, readFloor, readIssues, readProbe } from './describe.ts'
import { type Host, PluginFailure } from './host.ts'

interface Loaded {
  /** The NAME of [isolation.NAME]. */
  readonly name: string
  readonly file: string
  readonly description: Description
  readonly host: Host
}

export const pluginAdapter = (loaded: Loaded): IsolationAdapter => {
  const { name, description, host } = loaded
  const { capabilities, defaults, needs, networks, listens, sight, hasOptions } = description
  return {
    name,
    apiVersion: 1,
    privileged: description.privileged,
    capabilities,
    defaults,
    needs,
    ...(networks === undefined ? {} : { networks }),
    ...(listens === undefined ? {} : { listens }),
    ...(sight === undefined ? {} : { sight }),
    ...(hasOptions ? { options: optionsOf(host) } : {}),
    ...(description.hasFloor
      ? { floorFor: async (inputs: FloorInputs) => floorOf(inputs, readFloor(await host.call('floorFor', inputs))) }
      : {}),
    probe: (machine) => probe(loaded, machine),
    prepare: (plan) => prepare(loaded, plan),
  }
}

/** The bounds that were asked for are kept whatever a plug-in says: only the rest is its own to say. */
const floorOf = ({ limits }: FloorInputs, floor: Floor): Floor => ({
  ...floor,
  resources: { ...resourcesOf(limits), ...floor.resources },
  ...storageOf(limits),
})

/** Options stay as they were written: what the schema makes of them may be no plain data, so it is made again beside `prepare`. */
const optionsOf = (host: Host): OptionsSchema => ({
  '~standard': {
    version: 1,
    vendor: 'tenement',
    validate: async (value) => {
      const issues = readIssues(await host.call('options', value))
      return issues.length > 0 ? { issues } : { value }
    },
  },
})

const probe = async (
  { description, host }: Loaded,
  { isRoot, hasTenantUids, probeIdentity }: Machine,
): Promise<Probe> => {
  if (description.privileged && !isRoot)
    return {
      usable: false,
      lost: [],
      problem: { reason: 'its programs must begin as root', fix: 'start tenement as root' },
    }
  const machine: Machine = { isRoot, hasTenantUids, ...(probeIdentity === undefined ? {} : { probeIdentity }) }
  return readProbe(await host.call('probe', machine))
}

const prepare = async ({ name, file, description, host }: Loaded, plan: LaunchPlan): Promise<Launch> => {
  try {
    const launch = parseLaunch(await host.call('prepare', plan))
    if (launch.privileged && !description.privileged)
      throw new PluginFailure('its launch is privileged, and its definition is not')
    return launch
  } catch (error) {
    if (!(error instanceof PluginFailure || error instanceof Malformed)) throw error
    const what = error instanceof Malformed ? `its prepare returned no launch: ${error.message}` : error.message
    const fix =
      (error instanceof PluginFailure ? error.fix : undefined) ?? `mend the plug-in: tenement check --plugin "${file}"`
    throw new TenementError('start_failed', `isolation "${name}" could not prepare ${plan.instance}: ${what}`, {
      fix,
      cause: error,
    })
  }
}
