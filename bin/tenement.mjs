#!/usr/bin/env node
// The command `tenement`: what is built in dist. A file of its own, so that it is there in a clone that was not built yet, and says what
// to do: npx links what it finds the first time it is asked, and where it found nothing it says "tenement: not found" from then on.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const main = new URL('../dist/cli/main.js', import.meta.url)
if (existsSync(main)) await import(main.href)
else {
  console.error(`error: tenement is not built in ${fileURLToPath(new URL('..', import.meta.url))}`)
  console.error('→ run npm start there, or npm run build')
  process.exitCode = 1
}
