// Boots virtual machines whose kernel differs from this machine's, with this machine's own files, and runs there what boots.mjs
// lists: what no machine shows of itself. By software emulation, about ten times slower than the machine.
// usage: node test/vm/run.mjs [COMMAND...]: with a command, that one alone, where there is cgroup version 2 alone.
// Exits with 77 where it cannot be had, which is neither right nor wrong (the number that Automake has for a test that was skipped).
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { root as checkout } from '../../scripts/setup/paths.mjs'
import { boot, qemuArguments } from './boot.mjs'
import { boots, planOf, quotaModules, usualModules } from './boots.mjs'
import { makeInitramfs } from './initramfs.mjs'
import { findKernel, missingPrograms } from './kernel.mjs'

const skipped = 77
/** For all machines together: several times what two idle processors take. A machine that hangs is ended by it. */
const timeoutMs = Number(process.env.TENEMENT_VM_TIMEOUT_MS ?? 45 * 60_000)

/** A machine waits now and then, as for a process to end: three keep two processors busy for nine tenths of the time. */
const atOnce = availableParallelism() + 1

/** @param {readonly string[]} command @returns {readonly import('./boots.mjs').Boot[]} */
const chosen = (command) =>
  command.length === 0
    ? boots
    : [
        {
          name: 'one command',
          modules: [...usualModules, ...quotaModules],
          processors: 2,
          steps: [{ name: command.join(' '), command }],
        },
      ]

/**
 * @param {string} kernel
 * @param {import('./boots.mjs').Boot} machine
 * @param {number} machineTimeoutMs
 * @param {(line: string) => void} say
 */
const bootOne = async (kernel, machine, machineTimeoutMs, say) => {
  const work = mkdtempSync(join(tmpdir(), 'tenement-vm-'))
  try {
    say(`── boots: ${machine.name}`)
    const initramfs = makeInitramfs(kernel, { ...machine, plan: planOf(machine) }, work)
    const args = qemuArguments({ ...machine, kernel, initramfs, checkout })
    return await boot(args, machine.steps, machineTimeoutMs, say)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/**
 * In their order, some at the same time. Each line tells of which it is.
 *
 * @param {string} kernel
 * @param {readonly import('./boots.mjs').Boot[]} machines
 */
const runAll = async (kernel, machines) => {
  const began = performance.now()
  /** @type {(readonly import('./boot.mjs').Result[])[]} */
  const ended = []
  const waiting = machines.entries()
  const runWaiting = async () => {
    for (const [index, machine] of waiting) {
      const mark = machines.length === 1 ? '' : `${index + 1}│ `
      const leftMs = Math.max(0, began + timeoutMs - performance.now())
      const results = await bootOne(kernel, machine, leftMs, (line) => console.log(`${mark}${line}`))
      ended[index] = results.map((result) => ({ ...result, name: `${machine.name}: ${result.name}` }))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, runWaiting))
  const results = ended.flat()
  console.log()
  for (const { name, passed, told } of results) console.log(`${passed ? 'ok    ' : 'FAILED'}  ${name} (${told})`)
  const failed = results.filter(({ passed }) => !passed).length
  console.log(`in ${Math.round((performance.now() - began) / 1000)} s`)
  console.log(`${results.length - failed} passed, ${failed} failed, 0 skipped`)
  return failed === 0 ? 0 : 1
}

const machines = chosen(process.argv.slice(2))
const kernel = missingPrograms() ?? findKernel()
if (typeof kernel === 'string') process.exitCode = await runAll(kernel, machines)
else {
  const count = machines.flatMap(({ steps }) => steps).length
  console.log(`skipped, no virtual machine: ${kernel.reason}\n→ ${kernel.fix}`)
  console.log(`0 passed, 0 failed, ${count} skipped`)
  process.exitCode = skipped
}
