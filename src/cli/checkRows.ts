// What `check` found, as rows that are read in one look: a state, a finding, and what to do. Pure; formatCheck.ts prints them.
import { type Standing, standingOf, type Verdict, wordFor } from '../check/promises.ts'
import { type Problem, quote } from '../config/problem.ts'
import type { IsolationAdapter, Probe } from '../isolation/adapter.ts'
import type { Checked } from './checkConfig.ts'

export interface Row {
  readonly subject: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly finding: string
  readonly fix?: string
}

/** What each adapter that was asked can do here. */
export const machineRows = (checked: Checked): readonly Row[] => [
  ...[...checked.probes].flatMap(([name, probe]) => {
    const adapter = checked.adapters.get(name)
    return adapter === undefined ? [] : adapterRows(adapter, probe, checked)
  }),
  ...[...checked.faults].map(
    ([name, { reason, fix }]): Row => ({ subject: name, state: 'fail', finding: reason, fix }),
  ),
]

const adapterRows = (adapter: IsolationAdapter, { usable, problem, lost }: Probe, checked: Checked): readonly Row[] => {
  const subject = adapter.name
  if (!usable) {
    const finding = `cannot run here: ${problem?.reason ?? 'it does not say why'}`
    return [{ subject, state: 'fail', finding, ...(problem === undefined ? {} : { fix: problem.fix }) }]
  }
  const everywhere = lost.filter(({ onlyWith }) => onlyWith === undefined)
  const losses = lossRows(adapter, everywhere, checked)
  const isBarred = losses.some(({ state }) => state === 'fail')
  const keeps = `keeps ${keptOf(adapter, everywhere)} promises`
  const finding = isBarred ? `runs no service that does not accept its losses here: ${keeps}` : `can run, and ${keeps}`
  return [{ subject, state: isBarred ? 'fail' : 'ok', finding }, ...losses]
}

/** 'all of its 31', '30 of its 31' */
const keptOf = ({ capabilities }: IsolationAdapter, lost: Probe['lost']): string => {
  const made = Object.keys(capabilities)
  const kept = made.filter((capability) => !lost.some((loss) => loss.capability === capability))
  return `${kept.length === made.length ? 'all' : kept.length} of its ${made.length}`
}

/** What is lost for one reason, and weighs alike, is one row. */
const lossRows = (adapter: IsolationAdapter, lost: Probe['lost'], checked: Checked): readonly Row[] => {
  const { name, needs } = adapter
  const stateOf = (capability: string): Row['state'] =>
    needs.includes(capability) && !isAccepted(name, capability, checked) ? 'fail' : 'warn'
  const weigh = ({ capability, reason }: Probe['lost'][number]): string => `${stateOf(capability)} ${reason}`
  return [...new Set(lost.map(weigh))].flatMap((weight): readonly Row[] => {
    const alike = lost.filter((loss) => weigh(loss) === weight)
    const [first] = alike
    if (first === undefined) return []
    const names = alike.map(({ capability }) => capability)
    const finding = `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} lost: ${first.reason}`
    const state = stateOf(first.capability)
    return [{ subject: name, state, finding, ...fixOf(state === 'fail' ? names : [], first.fix) }]
  })
}

/** With what a service would have to accept, where it would otherwise not run. */
const fixOf = (barring: readonly string[], fix: string | undefined): Pick<Row, 'fix'> => {
  const words = barring.flatMap((capability) => wordFor(capability) ?? [])
  const isAcceptable = words.length > 0 && words.length === barring.length
  const accept = `as a last resort go without: accept = [${words.map(quote).join(', ')}] in the service`
  const steps = [...(fix === undefined ? [] : [fix]), ...(isAcceptable ? [accept] : [])]
  return steps.length === 0 ? {} : { fix: steps.join('; ') }
}

/** Whether every service of the adapter, of which there is at least one, goes without the promise. */
const isAccepted = (adapter: string, capability: string, { config, promises }: Checked): boolean => {
  const services = [...(config?.services.values() ?? [])].filter(({ isolation }) => isolation === adapter)
  const goesWithout = (verdict: Verdict): boolean =>
    verdict.capability === capability && standingOf(verdict) === 'accepted'
  return services.length > 0 && services.every(({ name }) => promises.get(name)?.some(goesWithout))
}

/** What each service needs against what it gets. */
export const serviceRows = (checked: Checked): readonly Row[] =>
  [...(checked.config?.services.values() ?? [])].flatMap(({ name, isolation }) => [
    ...(checked.probes.get(isolation)?.usable === false
      ? []
      : promiseRows(name, isolation, checked.promises.get(name))),
    ...otherProblems(name, checked),
    ...checked.warnings.filter(({ service }) => service === name).map((warning) => warningRow(name, warning)),
  ])

/** Without `promises` there is no such isolation, which is told as a problem. */
const promiseRows = (subject: string, isolation: string, promises: readonly Verdict[] | undefined): readonly Row[] => {
  if (promises === undefined) return []
  const of = (standing: Standing) => promises.filter((verdict) => standingOf(verdict) === standing)
  const names = (verdicts: readonly Verdict[]) => [...new Set(verdicts.map(({ capability }) => capability))].join(', ')
  const kept = of('kept')
  const weak = kept.filter(({ given, because }) => given === 'best-effort' && because === undefined)
  const [absent, lost] = [of('absent'), of('lost')]
  const written = quote(isolation)
  return [
    ...(kept.length > 0 ? [row(subject, 'ok', `isolation ${written} keeps ${names(kept)}`)] : []),
    ...(promises.length === 0
      ? [row(subject, 'ok', `asks nothing of isolation ${written} that could be missing`)]
      : []),
    ...(weak.length > 0
      ? [row(subject, 'warn', `${names(weak)} holds only while the tenant does not work against it`)]
      : []),
    ...kept.flatMap(reasonRow(subject)),
    ...of('accepted').map(({ capability, accepted, lost }) =>
      row(subject, 'warn', `goes without ${capability}, as accept = ["${accepted}"] says: ${lost?.reason}`),
    ),
    ...(lost.length > 0 ? [row(subject, 'fail', `needs ${names(lost)}, lost on this machine`)] : []),
    ...(absent.length > 0
      ? [row(subject, 'fail', `needs ${names(absent)}, of which isolation ${written} knows nothing`)]
      : []),
  ]
}

/** What the machine decides about a promise, with its reason. */
const reasonRow =
  (subject: string) =>
  ({ capability, given, because }: Verdict): readonly Row[] => {
    if (because === undefined) return []
    const isEnforced = given === 'enforced'
    const finding = `${capability} is ${isEnforced ? 'enforced' : 'best effort'}: ${because.reason}`
    const fix = because.fix === undefined ? {} : { fix: because.fix }
    return [{ subject, state: isEnforced ? 'ok' : 'warn', finding, ...fix }]
  }

const row = (subject: string, state: Row['state'], finding: string): Row => ({ subject, state, finding })

/** Problems are told in full above the table; here they only turn the state of their service. */
const otherProblems = (name: string, { problems }: Checked): readonly Row[] => {
  const keys = problems
    .filter(({ service, code }) => service === name && code !== 'missing_capability')
    .map(({ key }) => key)
  return keys.length === 0 ? [] : [row(name, 'fail', `told above: ${[...new Set(keys)].join(', ')}`)]
}

const warningRow = (subject: string, { message, fix }: Problem): Row => ({
  subject,
  state: 'warn',
  finding: message,
  ...(fix === undefined ? {} : { fix }),
})
