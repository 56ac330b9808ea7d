// `tenement trace X`: what an instance calls of the kernel, and the smallest profile it would run under. The profile is what was
// asked for, so it goes to stdout, or to the file that was named; what a person should know of it goes beside it.
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { visible } from '../../config/problem.ts'
import { currentSurroundings } from '../../config/surroundings.ts'
import { longestDurationMs, parseDuration } from '../../config/units.ts'
import { connectControl } from '../../control/client.ts'
import { instanceNamed } from '../../control/named.ts'
import type { InstanceStatus } from '../../control/operations.ts'
import { messageOf, TenementError } from '../../errors.ts'
import type { Policy } from '../../seccomp/policy.ts'
import type { Base, Proposal } from '../../trace/propose.ts'
import { type CommandDefinition, type Invocation, jsonFlag } from '../command.ts'
import { findControlSocket } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'
import { withSuggestions } from '../suggestNames.ts'
import { UsageError } from '../usageError.ts'

export const trace: CommandDefinition = {
  name: 'trace',
  args: ['<instance>', '[for]', '[duration]'],
  summary: 'Start an instance, watch its system calls, and propose the smallest seccomp profile',
  more: 'It runs confined as always, under the profile of its service, while strace watches from outside: use it meanwhile as it is used. What that profile refuses is refused and told; to see what it would do with more, give the service a wider profile first. The base must refuse what it does not list: strict, default, or one of your own.',
  examples: [
    ['tenement trace api:carol --for 60s -o carol.json', 'start it, watch for a minute, write the profile'],
    ['tenement trace api:carol -- for 60s', 'the same to stdout'],
    ['tenement trace api:carol --base default --json', 'over another base; with all calls and their numbers'],
  ],
  flags: [
    { flags: '--for <duration>', help: 'how long to watch once it is ready; 60s without it, and ctrl-C ends it early' },
    { flags: '--base <profile>', help: 'the profile to make smaller, by name or path; strict without it' },
    { flags: '-o, --output <file>', help: 'write the profile there, where nothing is yet' },
    { flags: '--restart', help: 'stop it first where it runs' },
    jsonFlag,
  ],
  run: async ({ args: [written = '', word, duration], given, terminal }) => {
    const name = instanceNamed(written)
    const forMs = durationFrom(word, duration, given.text('for'))
    requireNew(given.text('output'))
    const base = await readBase(given.text('base') ?? 'strict')
    const { findStrace } = await import('../../trace/strace.ts')
    const strace = await findStrace()
    const socket = await findControlSocket(given.text('config'), currentSurroundings())
    const client = withSuggestions(connectControl(socket))
    const { configFile } = await client.server()
    const status = await client.status(name)
    const running = await policyOfRunning(status, configFile, base)
    const { createTally } = await import('../../trace/tally.ts')
    const tally = createTally(base.policy, running)
    const { traceInstance } = await import('../traceInstance.ts')
    const seconds = await untilInterrupted((enough) =>
      traceInstance({
        ...{ client, strace, name, forMs, enough },
        runDir: dirname(socket),
        restart: given.has('restart'),
        onCall: tally.add,
        onReady: () => terminal.note(`${written} runs traced for ${forMs / 1_000} s: use it now, at ${status.address}`),
      }),
    )
    const { loadLibseccomp } = await import('../../seccomp/libseccomp.ts')
    const { propose } = await import('../../trace/propose.ts')
    const nameOf = (number: number) => loadLibseccomp().nameOf(number, base.policy.architecture)
    const proposal = propose(base, tally, { instance: written, seconds: Math.round(seconds), nameOf })
    await requireUsable(proposal)
    await hand(proposal, { written, seconds, base: base.name, ranUnder: status.seccomp }, given, terminal)
    return exitCodes.ok
  },
}

/** The words of "-- for 60s", or the flag. */
const durationFrom = (word: string | undefined, duration: string | undefined, flag = '60s'): number => {
  if (word !== undefined && (word !== 'for' || duration === undefined))
    throw new UsageError(`"${word}" means nothing here`, 'write --for 60s')
  const text = duration ?? flag
  const ms = parseDuration(/^\d+$/.test(text) ? Number(text) : text)
  if (ms === undefined || ms === 0 || ms > longestDurationMs)
    throw new UsageError(`"${text}" is no time to watch for`, 'write a duration such as 60s or 5m')
  return ms
}

const readBase = async (name: string): Promise<Base> => {
  const { readProfile } = await import('../../seccomp/find.ts')
  const { policyOf } = await import('../../seccomp/compileProfile.ts')
  const { file, text } = await readProfile(name, process.cwd())
  const policy = policyOf(text, { file })
  if (policy.defaultAction.kind !== 'allow' && policy.defaultAction.kind !== 'log') return { name, file, text, policy }
  throw new UsageError(
    `the profile "${name}" allows what it does not list, so nothing smaller can be made of it`,
    'use strict or default as the base',
  )
}

/** What the instance runs under; the server refuses to trace one that runs under nothing. */
const policyOfRunning = async ({ seccomp }: InstanceStatus, configFile: string, base: Base): Promise<Policy> => {
  if (seccomp === null) return base.policy
  const { readProfile } = await import('../../seccomp/find.ts')
  const { policyOf } = await import('../../seccomp/compileProfile.ts')
  const { file, text } = await readProfile(seccomp, dirname(configFile))
  return policyOf(text, { file })
}

const untilInterrupted = async <T>(work: (enough: AbortSignal) => Promise<T>): Promise<T> => {
  const enough = new AbortController()
  const interrupt = (): void => enough.abort()
  process.once('SIGINT', interrupt)
  try {
    return await work(enough.signal)
  } finally {
    process.off('SIGINT', interrupt)
  }
}

/** Nobody is handed a profile that no filter can be made of. */
const requireUsable = async ({ profile }: Proposal): Promise<void> => {
  const { compileProfile } = await import('../../seccomp/compileProfile.ts')
  compileProfile(profile, { file: 'the proposal' })
}

interface Traced {
  readonly written: string
  readonly seconds: number
  readonly base: string
  readonly ranUnder: string | null
}

const hand = async (
  proposal: Proposal,
  traced: Traced,
  given: Invocation['given'],
  terminal: Invocation['terminal'],
): Promise<void> => {
  const file = given.text('output')
  if (file !== undefined) await write(file, proposal.profile)
  const { written: instance, seconds, ...rest } = traced
  if (given.has('json'))
    // The profile as text, which is the file to write: its masks have more digits than most readers of JSON keep.
    return printJson(terminal, { instance, seconds, ...rest, ...proposal })
  const { formatTrace } = await import('../formatTrace.ts')
  terminal.note(formatTrace(proposal, { ...traced, file: file === undefined ? undefined : resolve(file) }))
  if (file === undefined) terminal.print(visible(proposal.profile))
}

/** Looked at before anything is started: a profile that took minutes is not to be lost for it. */
const requireNew = (file: string | undefined): void => {
  if (file !== undefined && existsSync(file))
    throw new UsageError(`"${file}" is there already`, 'name a file that is not there yet')
}

const write = async (file: string, profile: string): Promise<void> => {
  try {
    await writeFile(file, profile, { flag: 'wx' })
  } catch (error) {
    throw new TenementError('internal', `the profile cannot be written: ${messageOf(error)}`, {
      fix: 'name a file in a folder you may write to; without -o it goes to stdout',
      cause: error,
    })
  }
}
