// `tenement check`: everything that keeps this machine from serving the config, at once, and nothing started.
// What was found is what was asked for, so it is on stdout.
import { ConfigError } from '../../config/problem.ts'
import { nearest } from '../../config/suggest.ts'
import type { LastProof } from '../../proof/lastProof.ts'
import type { Checked, CheckOptions, Scope } from '../checkConfig.ts'
import { type CommandDefinition, type Given, type Invocation, jsonFlag } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'
import { UsageError } from '../usageError.ts'

export const check: CommandDefinition = {
  name: 'check',
  args: [],
  summary: 'Say what is wrong with the config, and what this machine can keep',
  more: 'Starts nothing, and needs no config to say what isolation can do here. Exits with 2 when the config is wrong, or the file of --html cannot be written, with 3 when it is right and this machine cannot run it. With --attack it starts programs that try to break out of each isolation that is used, for half a minute and within its bounds, and exits with 3 when a promise is broken. With --plugin it exits with 2 when the plug-in cannot be loaded, and with 3 when a proof fails.',
  examples: [
    ['tenement check', 'the config that "tenement serve" would take'],
    ['tenement check --config new.toml --json', 'another one, for programs'],
    ['tenement check --no-machine', 'a config that is meant for another machine'],
    ['tenement check --isolation sandbox', 'whether this machine can run that one'],
    ['tenement check --plugin ./adapter.js', 'have a plug-in prove what it promises'],
    ['tenement check --exposure', 'what each service leaves open here, and what would close it'],
    ['tenement check --attack', 'whether what is promised holds here: attacks it, and keeps the result'],
    ['tenement check --attack --html report.html', 'the same, and as a page to show to others'],
  ],
  flags: [
    { flags: '--no-machine', help: 'look at the config alone: no probe of this machine, no look for files' },
    { flags: '--exposure', help: 'list what the score of each service is made of, the heaviest part first' },
    { flags: '--isolation <name>', help: 'ask only this isolation what it can do here' },
    { flags: '--attack', help: 'attack each isolation that is used, or all of them without a config, on this machine' },
    { flags: '--html <file>', help: 'with --attack: write what was found as a page to show to others' },
    {
      flags: '--plugin <path>',
      help: 'prove this plug-in: start instances under it and attack them; takes about half a minute, and no config',
    },
    jsonFlag,
  ],
  run: async ({ given, terminal }) => {
    requireAttack(given)
    const plugin = given.text('plugin')
    if (plugin !== undefined)
      return (await import('../checkPlugin.ts')).checkPlugin(plugin, terminal, given.has('json'))
    if (given.has('attack')) return attackWhatIsUsed(given, terminal)
    const checked = await find(given, scopeOf(given), terminal)
    requireKnown(checked, given.text('isolation'))
    const proof = await lastProofOf(checked)
    if (given.has('json')) printJson(terminal, (await import('../reportCheck.ts')).reportCheck(checked, proof))
    else await tell(checked, terminal, { proof, isDetailed: given.has('exposure') })
    return exitCodeFor(checked, given.text('isolation'))
  },
}

const requireAttack = (given: Given): void => {
  if (given.text('html') === undefined || (given.has('attack') && given.text('plugin') === undefined)) return
  throw new UsageError('--html shows what --attack finds', 'write tenement check --attack --html report.html')
}

/** A config must make sense before what it uses is tried; what this machine cannot run of it is told by the attack. */
const attackWhatIsUsed = async (given: Given, terminal: Invocation['terminal']): Promise<number> => {
  const { requireMachine, requirePage, runAttack } = await import('../attack.ts')
  requireMachine(given)
  await requirePage(given)
  const scope = scopeOf(given)
  const checked = await find(given, scope === 'all' ? 'used' : scope, terminal, { withRefuted: true })
  requireKnown(checked, given.text('isolation'))
  const { exitCodeOf } = await import('../unrunnable.ts')
  if (exitCodeOf(checked.problems) === exitCodes.usage) {
    await tell(checked, terminal)
    return exitCodes.usage
  }
  return runAttack(checked, given, terminal)
}

const scopeOf = (given: Given): Scope => {
  const only = given.text('isolation')
  // Like every flag that begins with --no-, this one is true until it is given.
  if (!given.has('machine')) {
    if (only === undefined) return 'none'
    throw new UsageError('--isolation asks this machine, and --no-machine does not', 'leave one of them out')
  }
  if (only === undefined) return 'all'
  return { only }
}

/** Known once the config is read: some come with it. */
const requireKnown = ({ adapters, faults }: Checked, only: string | undefined): void => {
  if (only === undefined || adapters.has(only) || faults.has(only)) return
  const meant = nearest(only, adapters.keys())
  const all = `there are: ${[...adapters.keys()].join(', ')}`
  throw new UsageError(`there is no isolation "${only}"`, meant === undefined ? all : `did you mean "${meant}"? ${all}`)
}

/** Where nobody named a config and none is there, the machine alone is told about; unless it was not to be asked either. */
const find = async (
  given: Given,
  scope: Scope,
  terminal: Invocation['terminal'],
  options: CheckOptions = {},
): Promise<Checked> => {
  const { checkConfig, checkMachine } = await import('../checkConfig.ts')
  try {
    return await checkConfig(given, scope, options)
  } catch (error) {
    if (!(error instanceof ConfigError) || scope === 'none') throw error
    terminal.note(`${error.message}\n→ ${error.fix}\n`)
    return checkMachine(scope === 'used' ? 'all' : scope)
  }
}

/** Of what the services use, or of all where there are none; undefined where this machine was not to be asked. */
const lastProofOf = async ({ config, probes }: Checked): Promise<LastProof | undefined> => {
  if (probes.size === 0) return undefined
  const { lastProof } = await import('../proofs.ts')
  const used = new Set([...(config?.services.values() ?? [])].map(({ isolation }) => isolation))
  return lastProof(
    config,
    [...probes.keys()].filter((name) => used.size === 0 || used.has(name)),
  )
}

interface Telling {
  readonly proof?: LastProof | undefined
  /** Whether what exposes a service is listed. */
  readonly isDetailed?: boolean
}

const tell = async (
  checked: Checked,
  terminal: Invocation['terminal'],
  { proof, isDetailed = false }: Telling = {},
): Promise<void> => {
  const { formatCount, formatSound, formatTables } = await import('../formatCheck.ts')
  const { formatProblems } = await import('../../check/format.ts')
  const isSound = checked.problems.length === 0
  const head = isSound ? formatSound(checked) : formatProblems(checked.problems, process.cwd())
  const tables = formatTables(checked, terminal)
  const exposure = isDetailed ? (await import('../formatExposure.ts')).formatExposures(checked, terminal) : ''
  const parts = [checked.file === undefined ? '' : head, tables, exposure, proof?.line ?? '']
  terminal.print(parts.filter((part) => part !== '').join('\n\n'))
  if (!isSound) terminal.note(formatCount(checked))
}

/** An isolation that was asked for by name and that no service of a config speaks for must be able to run a plain service. */
const exitCodeFor = async (checked: Checked, only: string | undefined): Promise<number> => {
  const { exitCodeOf } = await import('../unrunnable.ts')
  const code = exitCodeOf(checked.problems)
  const services = [...(checked.config?.services.values() ?? [])]
  if (code !== exitCodes.ok || only === undefined || services.some(({ isolation }) => isolation === only)) return code
  const { machineRows } = await import('../checkRows.ts')
  return machineRows(checked).some(({ state }) => state === 'fail') ? exitCodes.unsupported : exitCodes.ok
}
