// Boots a virtual machine whose kernel has cgroup version 2 alone, with this machine's own files, and runs tests in it: what a
// machine with other cgroups cannot show. By software emulation, about fifty times slower than the machine.
// usage: node test/vm/run.mjs [COMMAND...]; needs qemu-system-x86, busybox-static, cpio and a kernel package unpacked in
// TENEMENT_VM_KERNEL (apt-get download linux-image-6.1.0-56-amd64 && dpkg -x linux-image-*.deb DIRECTORY).
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const checkout = resolve(here, '../..')
const kernelDirectory = process.env.TENEMENT_VM_KERNEL
const timeoutMs = Number(process.env.TENEMENT_VM_TIMEOUT_MS ?? 1_200_000)
const modules = ['virtio', 'virtio_ring', 'virtio_pci', 'virtio_pci_modern_dev', 'virtio_pci_legacy_dev', 'netfs']
const fileSystems = ['fscache', '9pnet', '9pnet_virtio', '9p', 'overlay']
const usual = [
  'node_modules/.bin/vitest',
  'run',
  '--testTimeout=900000',
  '--hookTimeout=900000',
  'test/integration/cgroups',
]

/** @param {string} directory @param {(name: string) => boolean} isMeant */
const find = (directory, isMeant) => {
  const found = readdirSync(directory, { recursive: true, encoding: 'utf8' }).find((path) => isMeant(`/${path}`))
  if (found === undefined) throw new Error(`the kernel package in ${directory} lacks a file that is needed`)
  return join(directory, found)
}

/** @param {string} kernel @param {string} work */
const makeInitramfs = (kernel, work) => {
  const root = join(work, 'root')
  for (const name of ['bin', 'modules']) mkdirSync(join(root, name), { recursive: true })
  copyFileSync('/usr/bin/busybox', join(root, 'bin/busybox'))
  for (const name of ['init', 'inside']) {
    const target = join(root, name === 'init' ? 'init' : 'inside.sh')
    copyFileSync(join(here, `${name}.sh`), target)
    chmodSync(target, 0o755)
  }
  const places = join(kernel, 'lib/modules')
  for (const name of [...modules, ...fileSystems])
    copyFileSync(
      find(places, (path) => path.endsWith(`/${name}.ko`)),
      join(root, 'modules', `${name}.ko`),
    )
  execFileSync('sh', ['-c', 'find . | cpio --quiet -o -H newc > ../initramfs'], { cwd: root })
  return join(work, 'initramfs')
}

/** @param {string} kernel @param {string} initramfs @param {readonly string[]} command */
const qemuArguments = (kernel, initramfs, command) => {
  const append = `console=ttyS0 panic=-1 quiet tenement.directory=${checkout} tenement.command=${command.join(',')}`
  return [
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '4096', '-nographic', '-no-reboot'],
    ...['-kernel', find(join(kernel, 'boot'), (path) => path.startsWith('/vmlinuz')), '-initrd', initramfs],
    ...['-virtfs', 'local,path=/,mount_tag=host0,security_model=none,readonly=on,multidevs=remap'],
    ...['-append', append],
  ]
}

/** @param {readonly string[]} args @returns {Promise<number>} the code its command exited with; 1 when it never did */
const boot = async (args) => {
  const machine = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const timer = setTimeout(() => machine.kill('SIGKILL'), timeoutMs)
  let code = 1
  for await (const line of createInterface({ input: machine.stdout })) {
    console.log(line)
    const result = /^tenement-vm: exit (\d+)/.exec(line)
    if (result !== null) code = Number(result[1])
  }
  clearTimeout(timer)
  return code
}

if (kernelDirectory === undefined) {
  console.error('TENEMENT_VM_KERNEL names no unpacked kernel package\n→ apt-get download it, dpkg -x it, and say where')
  process.exit(2)
}
const command = process.argv.length > 2 ? process.argv.slice(2) : usual
const work = mkdtempSync(join(tmpdir(), 'tenement-vm-'))
try {
  process.exitCode = await boot(qemuArguments(kernelDirectory, makeInitramfs(kernelDirectory, work), command))
} finally {
  rmSync(work, { recursive: true, force: true })
}
