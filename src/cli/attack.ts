// `tenement check --attack`: what is promised is attacked on this machine, shown, and kept for those who ask later. It starts
// programs that try to get out, each within the isolation that is tried; what serves on this machine meanwhile is left alone.
import { hostname } from 'node:os'
import { boundOn } from '../check/checkExposure.ts'
import { visible } from '../config/problem.ts'
import { messageOf } from '../errors.ts'
import type { Proof, Suspect } from '../proof/prove.ts'
import type { Checked } from './checkConfig.ts'
import type { Given, Invocation } from './command.ts'
import { exitCodes } from './exitCodes.ts'
import { printJson } from './printJson.ts'
import { UsageError } from './usageError.ts'

type Terminal = Invocation['terminal']

/** Resolves with the exit code, after all rows or `only` some: 3 where a promise is broken, or where an isolation that was asked for cannot run here. */
export const runAttack = async (
  checked: Checked,
  given: Given,
  terminal: Terminal,
  only?: Suspect['only'],
): Promise<number> => {
  const proof = await proveOrLeave(suspectsIn(checked, only), terminal).finally(() => checked.close())
  // A part of it says little of the rest.
  if (only === undefined) await keep(proof, checked, terminal)
  if (given.has('json')) printJson(terminal, proof)
  else {
    const { formatProof } = await import('./formatAttack.ts')
    terminal.print(formatProof(proof, terminal))
  }
  const page = given.text('html')
  const isWritten = page === undefined || (await writePage(page, proof, checked, terminal))
  const code = codeFor(proof, checked, given.text('isolation'))
  return isWritten || code !== exitCodes.ok ? code : exitCodes.failure
}

/** Before anything is started: a file that cannot be written is a fault of the command line. Rejects with a TenementError. */
export const requirePage = async (given: Given): Promise<void> => {
  const page = given.text('html')
  if (page !== undefined) await (await import('./reportFile.ts')).requireWritable(page)
}

/** Resolves false where the file was writable before the attack and is no more; what was found is told all the same. */
const writePage = async (file: string, proof: Proof, checked: Checked, terminal: Terminal): Promise<boolean> => {
  const { attackPage } = await import('./page/attackPage.ts')
  const { writeReport } = await import('./reportFile.ts')
  const { config, exposures, adapters } = checked
  const services = [...(config?.services.values() ?? [])].map((service) => ({
    name: service.name,
    isolation: service.isolation,
    exposure: exposures.get(service.name),
    most: config && boundOn(service, config.settings)?.most,
    isBroken: proof.adapters.some(({ adapter, counts }) => adapter === service.isolation && counts.broken > 0),
  }))
  try {
    await writeReport(file, attackPage({ machine: hostname(), proof, adapters, services }))
  } catch (error) {
    terminal.note(`error: ${messageOf(error)}`)
    return false
  }
  terminal.note(`the report is in ${visible(file)}`)
  return true
}

/** Also those a config does not make sense for are named before anything is started. */
export const requireMachine = (given: Given): void => {
  if (given.has('machine')) return
  throw new UsageError('--attack tries this machine, and --no-machine does not ask it', 'leave one of them out')
}

const suspectsIn = ({ adapters, probes }: Checked, only: Suspect['only']): readonly Suspect[] =>
  [...probes].flatMap(([name, probe]) => {
    const adapter = adapters.get(name)
    return adapter === undefined ? [] : [{ adapter, probe, ...(only === undefined ? {} : { only }) }]
  })

/** Ctrl-C removes what was made before it ends this process, as the signal itself would have. */
const proveOrLeave = async (suspects: readonly Suspect[], terminal: Terminal): Promise<Proof> => {
  const { prove } = await import('../proof/prove.ts')
  const leaving = new AbortController()
  let left: NodeJS.Signals | undefined
  const leave = (signal: NodeJS.Signals): void => {
    left = signal
    leaving.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, leave)
  const steps = new Map<string, string>()
  try {
    return await prove(suspects, {
      signal: leaving.signal,
      onStep: (adapter, what) => {
        steps.set(adapter, what)
        terminal.progress(`attacking ${[...steps].map(([name, step]) => `${name}: ${step}`).join(', ')}`)
      },
    })
  } finally {
    terminal.progress('')
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, leave)
    if (left !== undefined) process.kill(process.pid, left)
  }
}

/** What cannot be kept is told all the same: the proof itself is what was asked for. */
const keep = async (proof: Proof, { config }: Checked, terminal: Terminal): Promise<void> => {
  const { stateDirOf } = await import('./proofs.ts')
  const { storeProof } = await import('../proof/store.ts')
  const { serverIdentityFor, usualSettings } = await import('./launcherSettings.ts')
  const stateDir = stateDirOf(config)
  try {
    const isRoot = process.geteuid?.() === 0
    await storeProof(stateDir, proof, isRoot ? await serverIdentityFor(config?.settings ?? usualSettings()) : undefined)
  } catch (error) {
    terminal.note(`warning: the proof could not be kept in ${stateDir}: ${messageOf(error)}`)
  }
}

const codeFor = ({ adapters, ok }: Proof, { config }: Checked, only: string | undefined): number => {
  const asked = only === undefined ? [...(config?.services.values() ?? [])].map(({ isolation }) => isolation) : [only]
  const isTried = (name: string): boolean => adapters.some(({ adapter, usable }) => usable && adapter === name)
  return ok && asked.every(isTried) ? exitCodes.ok : exitCodes.unsupported
}
