#!/usr/bin/env node
// The program `tenement`. Compiled code is kept between runs where Node can do that, in a home of one's own: in the usual
// place, below /tmp, or in somebody else's home, others could leave code for the operator to run.
import { statSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'

const isOwn = (directory: string): boolean =>
  statSync(directory, { throwIfNoEntry: false })?.uid === process.geteuid?.()

if ('enableCompileCache' in module && typeof module.enableCompileCache === 'function' && isOwn(homedir()))
  module.enableCompileCache(join(homedir(), '.cache/tenement'))

const { run } = await import('./run.ts')
const { endWithOutput } = await import('./terminal.ts')

endWithOutput()
process.exitCode = await run(process.argv.slice(2))
