// What it takes to boot a virtual machine here: its programs, and Debian's kernel, unpacked and never installed. Names what is
// missing instead of failing: a machine without it can run everything else.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inRoot } from '../../scripts/setup/paths.mjs'

/** Nothing here can be had without these. */
const programs = {
  'qemu-system-x86': '/usr/bin/qemu-system-x86_64',
  'busybox-static': '/usr/bin/busybox',
  cpio: '/usr/bin/cpio',
}

/** @typedef {{ readonly reason: string, readonly fix: string }} Missing */

/** @returns {Missing | undefined} */
export const missingPrograms = () => {
  if (process.arch !== 'x64')
    return {
      reason: `the virtual machine runs this machine's own programs on x86-64, and these are for ${process.arch}`,
      fix: 'run it on an x86-64 machine',
    }
  const names = Object.entries(programs).flatMap(([name, path]) => (isProgram(path) ? [] : [name]))
  if (names.length === 0) return undefined
  return {
    reason: `not on this machine: ${names.join(', ')}`,
    fix: `apt-get install --no-install-recommends ${names.join(' ')}`,
  }
}

/** @param {string} path */
const isProgram = (path) => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The folder of an unpacked kernel package: the one named by TENEMENT_VM_KERNEL, the one fetched earlier, or one fetched now.
 * @returns {string | Missing}
 */
export const findKernel = () => {
  const named = process.env.TENEMENT_VM_KERNEL
  if (named !== undefined) return named
  const folder = inRoot('.setup', 'vm-kernel')
  return statSync(folder, { throwIfNoEntry: false }) === undefined ? fetchKernel(folder) : folder
}

/** @param {string} folder */
const fetchKernel = (folder) => {
  const work = `${folder}.new`
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  // The package of no version depends on the one that holds the newest kernel.
  const depends = run(work, 'apt-cache', 'depends', '--important', 'linux-image-amd64')
  const name = /Depends: (linux-image-\S+-amd64)$/m.exec(depends.output)?.[1]
  if (name === undefined) return notFetched(`apt knows no linux-image-amd64: ${depends.output.trim()}`)
  console.log(`fetching ${name} with apt-get`)
  const fetched = run(work, 'apt-get', '-q', ...patience, 'download', name)
  const archive = readdirSync(work).find((each) => each.endsWith('.deb'))
  if (!fetched.succeeded || archive === undefined) return notFetched(fetched.output.trim())
  const unpacked = run(work, 'dpkg', '-x', archive, 'unpacked')
  if (!unpacked.succeeded) return notFetched(unpacked.output.trim())
  renameSync(join(work, 'unpacked'), folder)
  rmSync(work, { recursive: true, force: true })
  return folder
}

const patience = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=15', '-o', 'Acquire::https::Timeout=15']

/** @param {string} why @returns {Missing} */
const notFetched = (why) => ({
  reason: `Debian's kernel cannot be fetched: ${why}`,
  fix: 'apt-get update, or unpack a linux-image package (dpkg -x) and name its folder in TENEMENT_VM_KERNEL',
})

/**
 * @param {string} cwd
 * @param {string} program
 * @param {...string} args
 */
const run = (cwd, program, ...args) => {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  return { succeeded: status === 0, output: error?.message ?? `${stdout}${stderr}` }
}
