// What a hostile instance does to use up what all share: processes, memory, room, log, watches, processors. Each ends by itself
// within seconds and has a most that no machine suffers from, should the bound it is to meet not be there.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, rmSync, watch, writeSync } from 'node:fs'
import { join } from 'node:path'
import { call, leaveProcess } from './kernel.ts'
import { ownData } from './targets.ts'

type Parameters = URLSearchParams

const mebibyte = 1024 ** 2
const numberOf = (parameters: Parameters, name: string): number => Number(parameters.get(name) ?? 0)

const seconds = 20

/** What a process was refused is told as an error event, after `spawn` has returned. */
const startMany = async (count: number): Promise<string> => {
  const started = Array.from({ length: count }, () => spawn('/bin/sleep', [String(seconds)], { stdio: 'ignore' }))
  const outcomes = await Promise.all(
    started.map(
      (child) =>
        new Promise<number>((resolve) => child.once('spawn', () => resolve(1)).once('error', () => resolve(0))),
    ),
  )
  return String(outcomes.reduce((sum, each) => sum + each, 0))
}

/** Children that have ended and that nobody waits for: each keeps its number. */
const leaveZombies = (most: number): string => {
  let left = 0
  try {
    for (; left < most; left += 1) leaveProcess()
  } catch {
    // The bound was met.
  }
  return String(left)
}

const filled: Buffer[] = []

/** Every page is written: memory that was only asked for costs nothing. */
const fillMemory = (bytes: number): string => {
  for (let kept = 0; kept < bytes; kept += mebibyte) filled.push(Buffer.alloc(mebibyte, 1))
  const kept = filled.length
  filled.length = 0
  return String(kept)
}

/** Tells how many bytes it could write, and how it was stopped. The file stays. */
const fillFile = (path: string, bytes: number): string => {
  const fd = openSync(path, 'w')
  let written = 0
  try {
    for (const chunk = Buffer.alloc(mebibyte, 1); written < bytes; ) written += writeSync(fd, chunk)
    return JSON.stringify({ written, stopped: null })
  } catch (error) {
    return JSON.stringify({ written, stopped: error instanceof Error && 'code' in error ? error.code : String(error) })
  } finally {
    closeSync(fd)
  }
}

/** Deeper than any path may be long, with names as long as they may be and a file that says it is larger than any disk. */
const growTree = (depth: number): void => {
  const script = `
    const fs = require('node:fs')
    const name = 'x'.repeat(255)
    fs.writeFileSync(name, '')
    const fd = fs.openSync('sparse', 'w')
    for (let size = 2 ** 53; size > 1; size /= 2) try { fs.ftruncateSync(fd, size); break } catch {}
    for (let level = 0; level < ${depth}; level += 1) { fs.mkdirSync('d'); process.chdir('d') }
    fs.mkdirSync(name)`
  execFileSync(process.execPath, ['-e', script], { cwd: ownData(), stdio: 'ignore' })
}

/** Instances of inotify, which are counted by uid (inotify(7), max_user_instances); kept until it ends. */
const takeWatches = (most: number): string => {
  let taken = 0
  try {
    for (; taken < most; taken += 1) call('inotify_init1', 0)
  } catch {
    // The bound was met.
  }
  return String(taken)
}

/** Names of deeds, for misdeeds.ts. */
export const bombs: Readonly<Record<string, (parameters: Parameters) => unknown>> = {
  'start many processes': (parameters) => startMany(numberOf(parameters, 'count')),
  'leave zombies': (parameters) => leaveZombies(numberOf(parameters, 'count')),
  'fill memory': (parameters) => fillMemory(numberOf(parameters, 'bytes')),
  'fill a file': (parameters) =>
    fillFile(parameters.get('path') ?? join(ownData(), 'filled'), numberOf(parameters, 'bytes')),
  'remove a file': (parameters) => rmSync(parameters.get('path') ?? '', { force: true }),
  'grow a tree': (parameters) => growTree(numberOf(parameters, 'depth')),
  'flood the log': (parameters) =>
    void spawnSync('/bin/sh', ['-c', `head -c ${numberOf(parameters, 'bytes')} /dev/urandom`], {
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  'take watches': (parameters) => takeWatches(numberOf(parameters, 'most')),
  'watch a directory': () => watch(ownData()).close(),
  spin: (parameters) => {
    for (let count = numberOf(parameters, 'count'); count > 0; count -= 1)
      spawn('/usr/bin/timeout', [parameters.get('seconds') ?? '5', '/bin/sh', '-c', 'while :; do :; done'], {
        stdio: 'ignore',
      })
  },
}
