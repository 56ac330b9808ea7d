// Faults that became known in what confinement is built on, looked for by trying them and not by version: distributions mend old
// versions. A machine that has one is told so with the way out; whether an instance can reach it, its rows say. Nothing is
// attacked but a directory and sockets of our own.
import { chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { Refused } from '../attack/attempt.ts'
import { call } from '../attack/kernel.ts'
import type { Identity } from '../isolation/adapter.ts'

export interface BuildFinding {
  /** 'CVE-2026-87766' */
  readonly fault: string
  readonly what: string
  /** 'reachable': the way to it is open to every user of this machine, whether or not the kernel is mended. */
  readonly found: 'vulnerable' | 'reachable' | 'not found' | 'not tried'
  readonly because: string
  /** What to do about it; null where there is nothing to do. */
  readonly fix: string | null
  /** The row of each adapter that says whether its instances can reach it. */
  readonly row: string
}

export interface BuildGround {
  /** Whom programs are run as; undefined where that is the caller. */
  readonly identity: Identity | undefined
  /** A folder that the identity may pass through. */
  readonly parent: string
}

/** As a user of the machine would: what root may do says nothing. */
export const probeBuilds = async (ground: BuildGround): Promise<readonly BuildFinding[]> => [
  await probeMountTargets(ground),
  probeCiphers(),
  probeTransforms(),
]

const bubblewrap = '/usr/bin/bwrap'

/**
 * GHSA-pxhw-h44j-8pfx: what is made below a directory that is bound writable is made where a symlink in it leads, outside of the new
 * root. Here the link leads to a directory of our own, and bubblewrap is asked to make one in it.
 */
const probeMountTargets = async ({ identity, parent }: BuildGround): Promise<BuildFinding> => {
  const base = {
    fault: 'CVE-2026-87766',
    what: 'bubblewrap makes files of the machine where a symlink of the tenant leads',
    row: '19',
  }
  if (!existsSync(bubblewrap)) return { ...base, found: 'not tried', because: `there is no ${bubblewrap}`, fix: null }
  mkdirSync(parent, { recursive: true })
  const root = mkdtempSync(join(parent, 'tenement-probe-'))
  try {
    const [data, outside] = ['data', 'outside'].map((name) => join(root, name)) as [string, string]
    for (const path of [data, outside]) mkdirSync(path)
    symlinkSync(`/oldroot${outside}`, join(data, 'link'))
    if (identity !== undefined) for (const path of [root, data, outside]) chownSync(path, identity.uid, identity.gid)
    const options = ['--unshare-user', '--ro-bind', '/usr', '/usr', '--bind', data, '/data', '--dir', '/data/link/made']
    const links = ['bin', 'lib', 'lib64', 'sbin'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`])
    const trial = await execa(bubblewrap, [...options, ...links, '--', '/usr/bin/true'], {
      env: {},
      extendEnv: false,
      cwd: '/',
      reject: false,
      timeout: 5_000,
      ...identity,
    })
    if (existsSync(join(outside, 'made')))
      return {
        ...base,
        found: 'vulnerable',
        because:
          'it made a directory outside of its root; tenement never lets it make anything below what a tenant may write',
        fix: 'upgrade bubblewrap to 0.12.0, or to a build of the distribution that mends it',
      }
    return {
      ...base,
      found: 'not found',
      because: trial.failed ? 'it refused to' : 'it made nothing outside of its root',
      fix: null,
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const alg = 38
const sequenced = 5

/** The way to Copy Fail (CVE-2026-31431): an AEAD of the kernel's, bound by whoever likes. */
const probeCiphers = (): BuildFinding =>
  reachable(
    {
      fault: 'CVE-2026-31431',
      what: 'the ciphers of the kernel write into files that are only read (Copy Fail)',
      row: '36',
      fix: 'upgrade the kernel, or keep the module from being loaded: echo "install algif_aead /bin/false" > /etc/modprobe.d/no-aead.conf',
    },
    'an AEAD of the kernel can be bound (AF_ALG)',
    () => {
      const fd = call('socket', alg, sequenced, 0)
      const address = Buffer.alloc(88)
      address.writeUInt16LE(alg, 0)
      address.write('aead', 2)
      address.write('authencesn(hmac(sha256),cbc(aes))', 24)
      try {
        call('bind', fd, address, address.length)
      } finally {
        call('close', fd)
      }
    },
  )

const netlink = 16
const raw = 3
const transform = 6
const rxrpc = 33
const datagram = 2
const internet = 2

/** The ways to Dirty Frag (CVE-2026-43284): sockets that set up transforms of packets, and those of rxrpc. */
const probeTransforms = (): BuildFinding =>
  reachable(
    {
      fault: 'CVE-2026-43284',
      what: 'transforms of packets write into files that are only read (Dirty Frag)',
      row: '35',
      fix: 'upgrade the kernel, or keep the modules from being loaded: xfrm_user, rxrpc',
    },
    'sockets of NETLINK_XFRM or AF_RXRPC can be opened',
    () => {
      const ways = [
        [netlink, raw, transform],
        [rxrpc, datagram, internet],
      ] as const
      const opened = ways.filter(([family, type, protocol]) => canOpen(family, type, protocol))
      if (opened.length === 0) throw new Refused('none of them can be opened')
    },
  )

const canOpen = (family: number, type: number, protocol: number): boolean => {
  try {
    call('close', call('socket', family, type, protocol))
    return true
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}

const reachable = (
  { fault, what, row, fix }: Pick<BuildFinding, 'fault' | 'what' | 'row'> & { readonly fix: string },
  because: string,
  act: () => void,
): BuildFinding => {
  try {
    act()
    return {
      fault,
      what,
      row,
      found: 'reachable',
      because: `${because}, so only a mended kernel keeps users from it`,
      fix,
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    return { fault, what, row, found: 'not found', because: `the way to it is closed: ${error.message}`, fix: null }
  }
}
