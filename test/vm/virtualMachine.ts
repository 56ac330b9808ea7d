// Whether this is the virtual machine that run.mjs boots. A test that changes a setting of the kernel asks before: elsewhere the
// setting would be a machine's that others use.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Throws anywhere else. */
export const requireVirtualMachine = (): void => {
  const words = readFileSync('/proc/cmdline', 'utf8').trim().split(' ')
  if (!words.includes('tenement.vm')) throw new Error('this test changes the machine it runs on → npm run test:vm')
}

const fileOf = (setting: string): string => join('/proc/sys', setting.replaceAll('.', '/'))

/** A setting of the kernel, by the name sysctl(8) gives it. */
export const readSetting = (setting: string): string => readFileSync(fileOf(setting), 'utf8').trim()

export const writeSetting = (setting: string, value: string): void => {
  requireVirtualMachine()
  writeFileSync(fileOf(setting), value)
}
