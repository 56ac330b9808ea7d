// As which uids an instance's program runs, as the machine sees it. Attacks by root would succeed, and some would harm the machine:
// /proc would be unmounted, the clock set to 1970. So this is asked before anything is tried, and no answer counts as root.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename } from 'node:path'

const root = 0

/** Real, effective, saved and file system uids (proc_pid_status(5)) of the processes of Node that name `dataDir` as their home. */
const uidsIn = (dataDir: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`HOME=${dataDir}`)) return []
        // Programs that confine it may be root, have its environment, and name it in their arguments.
        if (basename(readlinkSync(`/proc/${pid}/exe`)) !== basename(process.execPath)) return []
        const [, uids = ''] = /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
        return uids.split('\t').map(Number)
      } catch {
        return [] // it has ended
      }
    })

/** Why an instance must not be told to attack; undefined where it may. Where tenement is not root neither is anything it starts. */
export const whyHarmful = (dataDir: string): string | undefined => {
  if (process.geteuid?.() !== root) return undefined
  const uids = uidsIn(dataDir)
  if (uids.length === 0) return 'the machine shows no process of it, so nobody knows as whom it runs'
  return uids.includes(root) ? 'it runs as root on this machine' : undefined
}
