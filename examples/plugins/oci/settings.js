// The keys of [isolation.NAME] beside `plugin`, by a Standard Schema written by hand: a plug-in needs no package to have settings.
import { isAbsolute } from 'node:path'

/**
 * @typedef {object} Settings
 * @property {string} rootfs
 * @property {readonly [string, ...string[]]} runtime
 */

const known = ['rootfs', 'runtime']

/** overlayfs reads these in the path of a layer as its own (mount(8), "Mount options for overlay"). */
const special = /[:,\\]/

const rootfsIssue = (/** @type {unknown} */ rootfs) => {
  if (typeof rootfs !== 'string' || !isAbsolute(rootfs) || rootfs === '/')
    return 'must be the absolute path of a folder with a root file system, and not "/"'
  return special.test(rootfs) ? 'must have no colon, comma or backslash in it' : undefined
}

const runtimeIssue = (/** @type {unknown} */ runtime) => {
  const isList = Array.isArray(runtime) && runtime.length > 0 && runtime.every((each) => typeof each === 'string')
  return isList && isAbsolute(runtime[0])
    ? undefined
    : 'must be a list: an absolute path, and arguments before the command'
}

/** @type {import('tenement/plugin').OptionsSchema<Settings>} */
export const settings = {
  '~standard': {
    version: 1,
    vendor: 'tenement-oci',
    validate: (value) => {
      const { rootfs, runtime = ['/usr/sbin/runc'], ...others } = /** @type {Record<string, unknown>} */ (value)
      const found = Object.entries({ rootfs: rootfsIssue(rootfs), runtime: runtimeIssue(runtime) })
      const unknown = Object.keys(others).map((key) => [key, `is not known; known are ${known.join(' and ')}`])
      const issues = [...found, ...unknown].flatMap(([key = '', message]) =>
        message === undefined ? [] : [{ message, path: [key] }],
      )
      if (issues.length > 0) return { issues }
      return { value: /** @type {Settings} */ ({ rootfs, runtime }) }
    },
  },
}
