// A program → the same program inside the cgroups of its run, from its first instruction on.
import type { RunCgroup } from '../cgroups/runCgroup.ts'
import type { Inherited } from './descriptors.ts'
import { Refused } from './policy.ts'

/** Numbers a shell can name in a redirection: one digit each (POSIX Shell Command Language 2.7). */
const shellNumbers = [9, 8, 7, 6, 5, 4]

/** What a shell adds to an environment; process 1 of an instance would show it where the machine keeps the code. */
const shellVariables = ['PWD', 'OLDPWD', 'SHLVL']

/**
 * Joins the run's cgroups and becomes the program, with nothing of them left open: a process that writes itself into one need not
 * wait as one who is written does. `&&`: it never runs outside of them. Adds each descriptor to `inherited`.
 */
export const withCgroup = (
  argv: readonly [string, ...string[]],
  cgroup: RunCgroup | undefined,
  inherited: Inherited[],
  keep: (fd: number) => number,
  env: Readonly<Record<string, string>> = {},
): readonly [string, ...string[]] => {
  const files = cgroup?.joinFiles().map(keep) ?? []
  if (files.length === 0) return argv
  const free = shellNumbers.filter((number) => (inherited[number - 3] ?? 'ignore') === 'ignore')
  const numbers = files.map((file, index) => {
    const number = free[index]
    if (number === undefined) throw new Refused('a launch that is bounded leaves the descriptors 4 to 9 free')
    while (inherited.length <= number - 3) inherited.push('ignore')
    inherited[number - 3] = file
    return number
  })
  const join = numbers.map((number) => `echo 0 >&${number}`).join(' && ')
  const own = shellVariables.filter((name) => !Object.hasOwn(env, name)).join(' ')
  const script = `${join}${own === '' ? '' : ` && unset ${own}`} && exec "$@" ${numbers.map((number) => `${number}>&-`).join(' ')}`
  return ['/bin/sh', '-c', script, 'sh', ...argv]
}
