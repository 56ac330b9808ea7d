// What a proof was made on, in words that can be compared: when one of them changes, what was shown need not hold any more.
import { release } from 'node:os'
import { execa } from 'execa'
import { probeResources } from '../cgroups/probe.ts'
import { messageOf } from '../errors.ts'
import { bubblewrap } from '../isolation/bubblewrap/options.ts'
import { packageVersion } from '../packageVersion.ts'
import { loadLibseccomp } from '../seccomp/libseccomp.ts'

export interface Fingerprint {
  readonly kernel: string
  readonly bubblewrap: string
  readonly libseccomp: string
  readonly tenement: string
  readonly node: string
  /** 'root', or 'user 1000': what is promised to both differs. */
  readonly caller: string
  /** What of the resources cgroups keep here: 'memory enforced, processes enforced, cpu absent'. */
  readonly cgroups: string
}

/** What each of them is of. */
export const fingerprintNames: Readonly<Record<keyof Fingerprint, string>> = {
  kernel: 'the kernel',
  bubblewrap: 'bubblewrap',
  libseccomp: 'libseccomp',
  tenement: 'tenement',
  node: 'Node',
  caller: 'who runs tenement',
  cgroups: 'what cgroups keep',
}

/** Never rejects: what is not there is a word too. */
export const takeFingerprint = async (): Promise<Fingerprint> => {
  const uid = process.geteuid?.() ?? 0
  return {
    kernel: `${release()} ${process.arch}`,
    bubblewrap: await bubblewrapVersion(),
    libseccomp: libseccompVersion(),
    tenement: packageVersion(),
    node: process.version,
    caller: uid === 0 ? 'root' : `user ${uid}`,
    cgroups: Object.entries(probeResources())
      .map(([resource, found]) => `${resource} ${found === 'enforced' ? found : 'absent'}`)
      .join(', '),
  }
}

const bubblewrapVersion = async (): Promise<string> => {
  const { stdout, failed } = await execa(bubblewrap, ['--version'], {
    ...{ env: {}, extendEnv: false, reject: false, timeout: 5_000 },
  })
  return failed ? 'absent' : String(stdout).trim()
}

const libseccompVersion = (): string => {
  try {
    return loadLibseccomp().version
  } catch (error) {
    return `absent (${messageOf(error)})`
  }
}

/** 'the kernel changed from 6.1 to 6.2'; empty where nothing did. */
export const changesBetween = (then: Fingerprint, now: Fingerprint): readonly string[] =>
  (Object.keys(fingerprintNames) as (keyof Fingerprint)[]).flatMap((key) =>
    then[key] === now[key]
      ? []
      : [`${fingerprintNames[key]} changed from ${then[key] ?? 'something else'} to ${now[key]}`],
  )
