// A root file system with a shell, a few commands and Node: as little as the proofs need, each file a copy of the machine's with the
// libraries it is linked to (ldd(1)).
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const programs = ['/bin/sh', '/bin/true', '/bin/sleep', '/bin/cat', '/usr/bin/mkfifo', '/usr/bin/id', process.execPath]

const librariesOf = (/** @type {string} */ program) =>
  execFileSync('/usr/bin/ldd', [program], { encoding: 'utf8' }).match(/\/[^ :]+/g) ?? []

/** Read by every tenant, so not below a folder of the caller's own. Removed by whoever made it. */
export const makeRoot = () => {
  const root = mkdtempSync('/tmp/tenement-rootfs-')
  chmodSync(root, 0o755)
  for (const file of new Set([...programs, ...programs.flatMap(librariesOf)].filter((each) => existsSync(each)))) {
    mkdirSync(join(root, dirname(file)), { recursive: true })
    copyFileSync(file, join(root, file))
  }
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n')
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\n')
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) }
}
