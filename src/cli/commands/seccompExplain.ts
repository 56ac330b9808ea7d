// `tenement seccomp explain`: what a profile does with each call, or with one, and why it says so.
import type { Explained } from '../../seccomp/explain.ts'
import type { Policy } from '../../seccomp/policy.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import { formatTable } from '../formatTable.ts'
import { printJson } from '../printJson.ts'
import { archFlag, loadPolicy } from '../seccompProfile.ts'
import type { Paint } from '../terminal.ts'
import { UsageError } from '../usageError.ts'

export const seccompExplain: CommandDefinition = {
  name: 'seccomp explain',
  args: ['<profile>', '[syscall]'],
  summary: 'Print what a seccomp profile does with each system call, or with one, and why',
  more: 'Calls that are not listed get what stands in the last line.',
  examples: [
    ['tenement seccomp explain default', 'every call the profile names'],
    ['tenement seccomp explain default socket', 'one call, with its conditions'],
  ],
  flags: [archFlag, jsonFlag],
  run: async ({ args: [nameOrPath = '', name], given, terminal }) => {
    const policy = await loadPolicy(nameOrPath, given)
    const rows = name === undefined ? await explainAll(policy) : await explainOne(policy, name)
    if (given.has('json')) printJson(terminal, rows)
    else terminal.print(format(rows, terminal.paint))
    return exitCodes.ok
  },
}

const explainAll = async (policy: Policy): Promise<readonly Explained[]> => {
  const { explainDefault, explainPolicy } = await import('../../seccomp/explain.ts')
  return [...explainPolicy(policy), explainDefault(policy, '*', -1)]
}

const explainOne = async (policy: Policy, name: string): Promise<readonly Explained[]> => {
  const { explainCall, explainDefault } = await import('../../seccomp/explain.ts')
  const { loadLibseccomp } = await import('../../seccomp/libseccomp.ts')
  const { architecture } = policy
  const number = loadLibseccomp().resolve(name, architecture)
  if (number === undefined) throw new UsageError(`"${name}" is no system call`, 'see their names: man 2 syscalls')
  if (number === 'elsewhere') {
    throw new UsageError(`${architecture.name} has no system call "${name}"`, 'name another with --arch')
  }
  const call = policy.calls.get(number)
  return call === undefined ? [explainDefault(policy, name, number)] : explainCall(policy, call)
}

/** A reason is told once where several lines in a row have it. */
const format = (rows: readonly Explained[], paint: Paint): string =>
  formatTable(
    ['CALL', 'ACTION', 'WHEN', 'WHY'],
    rows.map(({ name, action, when, why, place }, at) => [
      { text: name === '*' ? 'every other' : name },
      { text: action, style: action === 'allow' ? 'green' : 'yellow' },
      { text: when },
      { text: why !== null && why === rows[at - 1]?.why ? '' : (why ?? place), style: 'dim' },
    ]),
    paint,
  )
