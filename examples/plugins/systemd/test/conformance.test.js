// Held to every promise where systemd is the init, which it is in few places where tests run: the virtual machines of `npm run
// test:vm` have one that is.
import { existsSync } from 'node:fs'
import { conformance } from 'tenement/conformance'
import * as runner from 'vitest'

// sd_booted(3)
if (existsSync('/run/systemd/system') && process.geteuid?.() === 0)
  await conformance({ plugin: new URL('..', import.meta.url), runner })
else runner.test('isolation "unit"', ({ skip }) => skip('systemd is not the init of this machine, or you are not root'))
