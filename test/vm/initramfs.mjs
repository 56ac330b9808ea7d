// The first file system of a virtual machine: busybox, the kernel modules that reach this machine's files, and what runs there.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { oftenRead } from './oftenRead.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const busybox = '/usr/bin/busybox'

/** Those of 9p and overlay, with all they need. A kernel may have some built in. */
const bootModules = [
  ...['virtio', 'virtio_ring', 'virtio_pci', 'virtio_pci_modern_dev', 'virtio_pci_legacy_dev'],
  ...['netfs', 'fscache', '9pnet', '9pnet_virtio', '9p', 'overlay'],
]

/**
 * Makes it below `work`; returns its path.
 * @param {string} kernel The folder of an unpacked kernel package.
 * @param {{ readonly modules: readonly string[], readonly plan: string, readonly isSystemd?: boolean }} contents
 * @param {string} work
 */
export const makeInitramfs = (kernel, { modules, plan, isSystemd = false }, work) => {
  const root = join(work, 'root')
  for (const name of ['bin', 'modules', 'often']) mkdirSync(join(root, name), { recursive: true })
  copyFileSync(busybox, join(root, 'bin/busybox'))
  copyFileSync(join(here, 'init.sh'), join(root, 'init'))
  chmodSync(join(root, 'init'), 0o755)
  copyFileSync(join(here, 'inside.sh'), join(root, 'inside.sh'))
  writeFileSync(join(root, 'plan.sh'), plan)
  if (isSystemd) cpSync(join(here, 'units'), join(root, 'units'), { recursive: true })
  for (const path of moduleFiles(kernel, new Set([...bootModules, ...modules]))) copyModule(path, join(root, 'modules'))
  for (const path of oftenRead()) copyWithFolders(path, join(root, 'often'))
  execFileSync('sh', ['-c', 'find . | cpio --quiet -R 0:0 -o -H newc > ../initramfs'], { cwd: root })
  return join(work, 'initramfs')
}

/**
 * With its mode, in folders with theirs.
 *
 * @param {string} path
 * @param {string} folder
 */
const copyWithFolders = (path, folder) => {
  const missing = []
  for (let place = dirname(path); !existsSync(join(folder, place)); place = dirname(place)) missing.unshift(place)
  for (const place of missing) {
    mkdirSync(join(folder, place))
    chmodSync(join(folder, place), statSync(place).mode & 0o7777)
  }
  copyFileSync(path, join(folder, path))
}

const moduleName = /\/([^/]+)\.ko(\.xz)?$/

/**
 * @param {string} kernel
 * @param {ReadonlySet<string>} names
 */
const moduleFiles = (kernel, names) =>
  readdirSync(kernel, { recursive: true, encoding: 'utf8' })
    .filter((path) => names.has(moduleName.exec(`/${path}`)?.[1] ?? ''))
    .map((path) => join(kernel, path))

/**
 * Unpacked where it is packed, as those of newer kernels are: busybox need not know how.
 * @param {string} path
 * @param {string} folder
 */
const copyModule = (path, folder) => {
  const target = join(folder, basename(path, '.xz'))
  if (path.endsWith('.xz')) writeFileSync(target, execFileSync('xz', ['--decompress', '--stdout', path]))
  else copyFileSync(path, target)
}
