// What every measurement needs first: a directory that tenants can pass through, uids nobody else has, the server in C.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = process.env.BENCH_REPOSITORY ?? fileURLToPath(new URL('../..', import.meta.url))
export const isRoot = process.getuid() === 0

let ranges = 0
/** A thousand uids of this process alone. Undefined without root, where no other uid can be taken. */
export const newTenantUids = () => {
  ranges += 1
  const first = 1_200_000_000 + (process.pid % 80_000) * 10_000 + ranges * 1_000
  return isRoot ? { first, last: first + 999 } : undefined
}

/** Compiles a program of this directory, "hello" for hello.c, so that every user may run it. Gives its path. */
export const compile = (name, into) => {
  const program = join(into, name)
  const source = fileURLToPath(new URL(`../${name}.c`, import.meta.url))
  execFileSync('gcc', ['-O2', '-static', '-D_GNU_SOURCE', '-o', program, source])
  chmodSync(program, 0o755)
  return program
}

/** Calls `use` with a new directory, in which `app` holds the server "hello"; removed afterwards, whatever happens. */
export const inPlace = async (use) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'tenement-bench-')))
  try {
    chmodSync(root, 0o711)
    const app = join(root, 'app')
    mkdirSync(app)
    chmodSync(app, 0o755)
    return await use({ root, app, program: compile('hello', app) })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
