// Runs one virtual machine from its first instruction to its last, tells what it prints, and reads from that how its steps ended.
// A step that told of no end has failed, whatever the reason: a panic, a hang, or a machine that never came so far.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** @typedef {{ readonly name: string, readonly passed: boolean, readonly told: string }} Result */

/** Of the processor, what no proof relies on and emulation has to work for: the kernel's own defences, deeper page tables, wide registers. */
const unneeded = [
  ...['la57', 'smap', 'smep', 'pku', 'umip', 'erms'],
  ...['avx', 'avx2', 'f16c', 'fma', 'vaes', 'xsave'],
]
const processor = ['max', ...unneeded.map((feature) => `${feature}=off`)].join(',')

/**
 * Of the kernel, likewise. It takes the processor's clock for unsteady unless told otherwise, and each look at the device it would use
 * instead leaves the emulated code.
 */
const spared = 'mitigations=off tsc=reliable nowatchdog randomize_kstack_offset=off init_on_alloc=0'

/**
 * @param {{ readonly kernel: string, readonly initramfs: string, readonly checkout: string, readonly processors?: number }} machine
 */
export const qemuArguments = ({ kernel, initramfs, checkout, processors = 1 }) => [
  // Software emulation: a machine that is itself a virtual one has seldom another to offer.
  ...['-accel', 'tcg,thread=multi', '-cpu', processor, '-smp', String(processors), '-m', '4096', '-no-reboot'],
  ...['-display', 'none', '-vga', 'none', '-nic', 'none', '-monitor', 'none', '-serial', 'stdio'],
  ...['-kernel', imageIn(kernel), '-initrd', initramfs],
  ...['-virtfs', 'local,path=/,mount_tag=host0,security_model=none,readonly=on,multidevs=remap'],
  // What a test looks for before it changes a setting of the kernel: tenement.vm.
  ...['-append', `console=ttyS0 panic=-1 quiet loglevel=1 ${spared} tenement.vm tenement.directory=${checkout}`],
]

/** @param {string} kernel The folder of an unpacked kernel package. */
const imageIn = (kernel) => {
  const boot = join(kernel, 'boot')
  const image = readdirSync(boot).find((name) => name.startsWith('vmlinuz'))
  if (image === undefined) throw new Error(`no kernel in ${boot}`)
  return join(boot, image)
}

/**
 * Resolves when the machine is gone: by itself, or ended after `timeoutMs`.
 * @param {readonly string[]} args
 * @param {readonly import('./boots.mjs').Step[]} steps
 * @param {number} timeoutMs
 * @param {(line: string) => void} say Hears every line the machine prints.
 * @returns {Promise<readonly Result[]>}
 */
export const boot = async (args, steps, timeoutMs, say) => {
  // It ends with this process, however that ends: it would keep two processors busy for nobody.
  const tied = ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...args]
  const machine = spawn('setpriv', tied, { stdio: ['ignore', 'pipe', 'inherit'] })
  const gone = once(machine, 'exit')
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    machine.kill('SIGKILL')
  }, timeoutMs)
  /** @type {Map<number, { readonly code: number, readonly seconds: number }>} */
  const ends = new Map()
  for await (const line of createInterface({ input: machine.stdout })) {
    say(telling(line, steps))
    const end = /^tenement-vm: ended (\d+) with (\d+) after (\d+) s/.exec(line)
    if (end !== null) ends.set(Number(end[1]), { code: Number(end[2]), seconds: Number(end[3]) })
  }
  await gone
  clearTimeout(timer)
  const silent = isLate
    ? `not over when the time for it was, ${Math.round(timeoutMs / 1000)} s`
    : 'the machine ended before it did'
  return steps.map(({ name }, index) => {
    const end = ends.get(index)
    if (end === undefined) return { name, passed: false, told: silent }
    return { name, passed: end.code === 0, told: `exit ${end.code} after ${end.seconds} s` }
  })
}

/**
 * The beginning of a step with its name, anything else as it is.
 * @param {string} line
 * @param {readonly import('./boots.mjs').Step[]} steps
 */
const telling = (line, steps) => {
  const begun = /^tenement-vm: begins (\d+)/.exec(line)
  if (begun === null) return line
  const step = steps[Number(begun[1])]
  return `── ${step?.name}: ${step?.command.join(' ')}`
}
