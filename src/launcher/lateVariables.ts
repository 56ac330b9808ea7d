// Variables of an application's environment that no program before it may find: by them the loader or a shell takes code from where
// a tenant may write (ld.so(8), glibc's list of what a set-user-id program must not see), and what runs before the application
// holds descriptors of the launcher's and sets its limits.
// They are exported by a last shell, as an argument for that moment: the others, which may hold secrets, never are one.
import type { Launch } from '../isolation/adapter.ts'

const isLate = (name: string): boolean =>
  /^(LD_.*|GLIBC_TUNABLES|GCONV_PATH|LOCPATH|NLSPATH|MALLOC_TRACE|ENV|BASH_ENV)$/.test(name)

/** The same program with the same environment in the end; `env` is what all before it find. */
export const withLateVariables = ({ argv, env }: Pick<Launch, 'argv' | 'env'>): Pick<Launch, 'argv' | 'env'> => {
  const entries = Object.entries(env)
  const late = entries.filter(([name]) => isLate(name))
  if (late.length === 0) return { argv, env }
  const early = Object.fromEntries(entries.filter(([name]) => !isLate(name)))
  const added = ['PWD', 'OLDPWD', 'SHLVL'].filter((name) => !Object.hasOwn(env, name))
  const assignments = late.map(([name, value]) => `${name}=${value}`)
  const positions = assignments.map((_, index) => `"\${${index + 1}}"`)
  const unset = added.length === 0 ? '' : `unset ${added.join(' ')}; `
  const script = `${unset}export ${positions.join(' ')}; shift ${assignments.length}; exec "$@"`
  return { argv: ['/bin/sh', '-c', script, 'sh', ...assignments, ...argv], env: early }
}
