// The command of this checkout where every npx looks. Some install the folder into their own cache first, once, and go on using what
// they found there then.
import { mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { inRoot } from './paths.mjs'

const link = inRoot('node_modules', '.bin', 'tenement')
/** As seen from the link, so that the checkout can be moved. */
const target = '../../bin/tenement.mjs'

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
