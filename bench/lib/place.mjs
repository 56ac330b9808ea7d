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

/** Calls `use` with a new directory, in which `app` holds the server "hello"; removed afterwards, whatever happens. */
export const inPlace = async (use) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'tenement-bench-')))
  try {
    chmodSync(root, 0o711)
    const app = join(root, 'app')
    mkdirSync(app)
    const program = join(app, 'hello')
    execFileSync('gcc', [
      '-O2',
      '-static',
      '-D_GNU_SOURCE',
      '-o',
      program,
      fileURLToPath(new URL('../hello.c', import.meta.url)),
    ])
    for (const path of [app, program]) chmodSync(path, 0o755)
    return await use({ root, app, program })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}
