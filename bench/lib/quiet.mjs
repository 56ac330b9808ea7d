// How much of this machine is somebody else's at the moment. A sample is taken when little is, and taken again when the
// machine below this one took the processors away meanwhile ("steal", proc(5)).
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const readTicks = () => {
  const [user, nice, system, idle, wait, irq, soft, steal] = readFileSync('/proc/stat', 'latin1')
    .split('\n')[0]
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return { steal, idle: idle + wait, all: user + nice + system + idle + wait + irq + soft + steal }
}

const shareSince = (before, key) => {
  const after = readTicks()
  return (after[key] - before[key]) / Math.max(1, after.all - before.all)
}

/** Of all processors; a sample begins when more is idle. */
const idleEnough = 0.85
/** Of all processors; a sample with more stolen is taken again. */
const stolenTooMuch = 0.025
const lookMs = 100
const tries = 3

/** Waits until the machine is quiet, for `patience.ms` at most in all: on one that never is, every sample is taken at once. */
const untilQuiet = async (patience) => {
  while (patience.ms > 0) {
    const before = readTicks()
    await delay(lookMs)
    if (shareSince(before, 'idle') >= idleEnough) return
    patience.ms -= lookMs
  }
}

/** Takes samples one after the other; `patienceMs` is for all of them together. */
export const createSampler = (patienceMs) => {
  const patience = { ms: patienceMs }
  return async (take) => {
    for (let left = tries - 1; ; left -= 1) {
      await untilQuiet(patience)
      const before = readTicks()
      const sample = await take()
      const stolen = shareSince(before, 'steal')
      if (left === 0 || stolen <= stolenTooMuch) return { ...sample, stolen }
    }
  }
}
