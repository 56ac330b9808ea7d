// Which steps a purpose needs and in what order. What is needed is asked before anything is touched, so that a checkout
// that is up to date is only read: another user, or a read-only disk, can then run it.
import { accessSync, constants, mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { buildStep } from './build.mjs'
import { commandStep } from './command.mjs'
import { installDebianPackages } from './debian.mjs'
import { exampleStep, readableExamplesStep } from './examples.mjs'
import { lockedBy } from './lock.mjs'
import { npmPackagesStep } from './npmPackages.mjs'
import { inRoot, root } from './paths.mjs'
import { SetupError } from './report.mjs'

/**
 * One thing that can be out of date in the checkout.
 * @typedef {{ readonly isNeeded: () => boolean, readonly run: () => void }} Step
 */

/** @typedef {import('./debian.mjs').Purpose} Debian */

/** @type {Readonly<Record<string, { readonly debian?: Debian, readonly steps: readonly Step[] }>>} */
const purposes = {
  start: { debian: 'start', steps: [npmPackagesStep, buildStep, commandStep, exampleStep, readableExamplesStep] },
  // The build is a step of the test run itself, so that one that fails is reported beside everything else that does.
  test: { debian: 'test', steps: [npmPackagesStep, commandStep, exampleStep, readableExamplesStep] },
  // The virtual machine sees this checkout, and can build nothing in it.
  vm: { debian: 'vm', steps: [npmPackagesStep, buildStep, commandStep, exampleStep, readableExamplesStep] },
  build: { steps: [npmPackagesStep, buildStep, commandStep] },
}

/**
 * Brings the checkout up to date; throws a SetupError when it cannot go on.
 * @param {string} purpose
 */
export const setUp = (purpose) => {
  const plan = purposes[purpose]
  if (plan === undefined) {
    throw new SetupError(`there is no "${purpose}" to set up for`, `say one of ${Object.keys(purposes).join(', ')}`)
  }
  if (plan.debian !== undefined) installDebianPackages(plan.debian)
  if (!plan.steps.some((step) => step.isNeeded())) return
  requireWritableCheckout()
  mkdirSync(inRoot('.setup'), { recursive: true })
  // Asked again under the lock: another run may have done it meanwhile.
  lockedBy(inRoot('.setup', 'lock'), () => {
    for (const step of plan.steps) if (step.isNeeded()) step.run()
  })
}

const requireWritableCheckout = () => {
  try {
    accessSync(root, constants.W_OK)
  } catch {
    throw new SetupError(
      `something is missing or out of date in ${root}, and ${userInfo().username} may not write there`,
      'run the same command once as the owner of that folder, or make a clone of your own',
    )
  }
}
