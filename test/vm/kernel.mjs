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
  try {
    return fetchInto(folder, work)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/**
 * @param {string} folder
 * @param {string} work Where it may write meanwhile, so that `folder` is there whole or not at all.
 */
const fetchInto = (folder, work) => {
  const name = newestKernel(work) ?? newestKernelAfterUpdate(work)
  if (name === undefined) return notFetched('apt knows no package linux-image-amd64')
  console.log(`fetching ${name} with apt-get`)
  const fetched = run(work, 'apt-get', '-q', ...patience, 'download', name)
  const archive = readdirSync(work).find((each) => each.endsWith('.deb'))
  if (!fetched.succeeded || archive === undefined) return notFetched(errorsIn(fetched.output))
  const unpacked = run(work, 'dpkg', '-x', archive, 'unpacked')
  if (!unpacked.succeeded) return notFetched(errorsIn(unpacked.output))
  renameSync(join(work, 'unpacked'), folder)
  return folder
}

/**
 * The package without a version in its name depends on the one that holds the newest kernel.
 * @param {string} work
 */
const newestKernel = (work) =>
  /Depends: (linux-image-\S+-amd64)$/m.exec(run(work, 'apt-cache', 'depends', 'linux-image-amd64').output)?.[1]

/**
 * A fresh container knows no packages; only root may change that.
 * @param {string} work
 */
const newestKernelAfterUpdate = (work) => {
  run(work, 'apt-get', '-q', ...patience, 'update')
  return newestKernel(work)
}

const patience = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=15', '-o', 'Acquire::https::Timeout=15']

/** @param {string} why @returns {Missing} */
const notFetched = (why) => ({
  reason: `Debian's kernel cannot be fetched: ${why}`,
  fix: 'apt-get update, or unpack a linux-image package (dpkg -x) and name its folder in TENEMENT_VM_KERNEL',
})

/**
 * What apt and dpkg write as errors; everything where they write none.
 * @param {string} output
 */
const errorsIn = (output) => {
  const errors = output.split('\n').filter((line) => /^(E|dpkg\S*): /.test(line))
  return errors.length > 0 ? errors.join('; ') : output.trim()
}

/**
 * @param {string} cwd
 * @param {string} program
 * @param {...string} args
 */
const run = (cwd, program, ...args) => {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  return { succeeded: status === 0, output: error?.message ?? `${stdout}${stderr}` }
}
