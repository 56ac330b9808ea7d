// The command of this checkout where `npx tenement` looks first. Without it npx installs the folder into its own cache, once, and
// goes on using what it found there then: in a checkout that was not built yet, nothing.
import { mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { inRoot } from './paths.mjs'

const link = inRoot('node_modules', '.bin', 'tenement')
/** As seen from the link, so that the checkout can be moved. */
const target = '../../dist/cli/main.js'

/** @type {import('./steps.mjs').Step} */
export const commandStep = {
  isNeeded: () => leadsTo() !== target,
  run: () => {
    mkdirSync(inRoot('node_modules', '.bin'), { recursive: true })
    rmSync(link, { force: true })
    symlinkSync(target, link)
  },
}

const leadsTo = () => {
  try {
    return readlinkSync(link)
  } catch {
    // Not there, or no link.
    return undefined
  }
}
