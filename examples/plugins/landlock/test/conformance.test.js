import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { conformance } from 'tenement/conformance'
import * as runner from 'vitest'

const plugin = new URL('..', import.meta.url)

/** @param {string} path @returns {readonly string[]} */
const upwards = (path) => (path === '/' ? [path] : [path, ...upwards(dirname(path))])

// With root each instance has a uid of its own, and restrict.js is run as that.
const closed = upwards(fileURLToPath(plugin)).find((folder) => (statSync(folder).mode & 0o001) === 0)
if (process.getuid?.() === 0 && closed !== undefined)
  runner.test('isolation "readonly"', ({ skip }) => skip(`"${closed}" may be entered by no tenant`))
else await conformance({ plugin, runner })
