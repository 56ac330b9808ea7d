// firejail confines only where it begins as root, so that is where it is held to its promises.
import { existsSync } from 'node:fs'
import { conformance } from 'tenement/conformance'
import * as runner from 'vitest'

if (existsSync('/usr/bin/firejail') && process.geteuid?.() === 0)
  await conformance({ plugin: new URL('..', import.meta.url), runner })
else runner.test('isolation "firejail"', ({ skip }) => skip('firejail is not installed, or you are not root'))
