// Where an attack takes place: directories of its own, that everything in it is removed with, and uids that are nobody's. A
// tenement that serves on this machine meanwhile shares neither with it.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { TenementError } from '../errors.ts'
import type { Identity } from '../isolation/adapter.ts'
import type { Policy } from '../launcher/protocol.ts'

export interface Place {
  readonly root: string
  readonly policy: Policy
  remove(): void
}

/**
 * Uids that no distribution and no service manager gives to anybody: between those of containers and those that some programs
 * take for negative (systemd's UIDS-GIDS.md). The launcher's own lock says if another attack holds the same ones.
 */
const firstUid = 0x7000_0000
const uidsPerPlace = 64
const places = 0x0fff_0000 / uidsPerPlace

let made = 0

/** Below `parent`, which must be reached by everybody where tenement is root, and not lie below /tmp: instances have one of their own. */
export const makePlace = (parent: string, isRoot: boolean, services: readonly string[]): Place => {
  mkdirSync(parent, { recursive: true })
  const root = mkdtempSync(join(parent, `tenement-attack-${process.pid}-`))
  // Tenants pass through it to their own directories.
  chmodSync(root, 0o711)
  const [server = 0, ...tenants] = isRoot ? freeUids() : []
  const policy: Policy = {
    runDir: join(root, 'run'),
    logDir: join(root, 'log'),
    stateDir: join(root, 'state'),
    dataRoots: [join(root, 'data')],
    codeDirs: [{ path: join(root, 'stage') }],
    dataDirs: Object.fromEntries(services.map((name) => [name, [join(root, 'data/'), '']])),
    grants: {},
    // What the launcher would not let through is kept by it alone: here the adapter is tried.
    floors: Object.fromEntries(services.map((name) => [name, {}])),
    ...(isRoot
      ? {
          tenantUids: { first: tenants[0] ?? 0, last: tenants.at(-1) ?? 0 },
          serverIdentity: { uid: server, gid: server },
        }
      : {}),
    log: { maxBytes: 1024 ** 2, files: 2, bytesPerSecond: 1024 ** 2 },
  }
  return { root, policy, remove: () => rmSync(root, { recursive: true, force: true }) }
}

/** A user of this machine that nobody is; undefined where only the caller can be one. */
export const nobodysIdentity = (isRoot: boolean): Identity | undefined => {
  const [uid] = isRoot ? freeUids() : []
  return uid === undefined ? undefined : { uid, gid: uid }
}

/** The first is for the server. Another for every place of every process that attacks at the same time. */
const freeUids = (): readonly number[] => {
  requireMapped()
  const used = uidsInUse()
  for (let tries = 0; tries < 100; tries += 1) {
    made += 1
    const first = firstUid + ((process.pid * 16 + made) % places) * uidsPerPlace
    const uids = Array.from({ length: uidsPerPlace }, (_, index) => first + index)
    if (!uids.some((uid) => used.has(uid))) return uids
  }
  throw new TenementError('unsupported_machine', `every uid from ${firstUid} on has a process`, {
    fix: 'see who runs them: ps -eo uid,pid,comm',
  })
}

/** In a container root may have fewer uids than a machine (user_namespaces(7), "User and group ID mappings"). */
const requireMapped = (): void => {
  const lines = readFileSync('/proc/self/uid_map', 'utf8').trim().split('\n')
  const isMapped = lines.some((line) => {
    const [inside = 0, , length = 0] = line.trim().split(/\s+/).map(Number)
    return inside <= firstUid && firstUid + 0x0fff_0000 <= inside + length
  })
  if (isMapped) return
  throw new TenementError(
    'unsupported_machine',
    `attacks run as uids from ${firstUid} on, which this container does not have: its uids are ${lines.join('; ')}`,
    { fix: 'run it on the machine itself, or in a container without a user namespace' },
  )
}

const uidsInUse = (): ReadonlySet<number> =>
  new Set(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const [, uids = ''] = /^Uid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
          return uids.split('\t').map(Number)
        } catch {
          return [] // it has ended
        }
      }),
  )
