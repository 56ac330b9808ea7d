// How far the bound on what an instance stores goes, which no adapter can say: that depends on the file system its data lies on, and on
// whether its confinement keeps it from changing the project that the file system counts for. The one promise that may be kept
// more strictly on a machine than its adapter claims for every one.
import { dataRootFor } from '../config/dataDir.ts'
import type { Config, Service } from '../config/schema.ts'
import { messageOf } from '../errors.ts'
import type { IsolationAdapter } from '../isolation/adapter.ts'
import type { CheckMachine, QuotaSupport } from './machine.ts'
import type { Verdict } from './promises.ts'

const quota = 'disk.quota'

/** The verdicts, with what the machine makes of `disk.quota` where one asks for it. Without a machine they are as they were. */
export const withStorage = async (
  promises: readonly Verdict[],
  service: Service,
  adapter: IsolationAdapter,
  { config, machine }: { readonly config: Config; readonly machine: CheckMachine | undefined },
): Promise<readonly Verdict[]> => {
  const isOpen = ({ capability, given }: Verdict): boolean => capability === quota && given === 'best-effort'
  if (machine === undefined || !promises.some(isOpen)) return promises
  const support = await ask(machine, dataRootFor(service, config.settings))
  const found = judge(adapter, support)
  return promises.map((verdict) => (isOpen(verdict) ? { ...verdict, ...found } : verdict))
}

/** What cannot be asked is not promised. */
const ask = async ({ quotaOn }: CheckMachine, folder: string): Promise<QuotaSupport> => {
  try {
    return await quotaOn(folder)
  } catch (error) {
    return {
      isKept: false,
      reason: `the file system of "${folder}" cannot be asked for quotas: ${messageOf(error)}`,
      fix: 'make the folder, and see that root may open it',
    }
  }
}

/**
 * The owner of a file may take it out of its project, unless it asks from another user namespace than the machine's (fs/ioctl.c,
 * fileattr_set_prepare); and who has CAP_SYS_RESOURCE there is held to no limit (fs/quota/dquot.c, ignore_hardlimit). Only what was
 * looked at before it ran is known to be so.
 */
const neededFor = ['user.ns', 'caps.none', 'launch.attested']

const missingOf = ({ capabilities }: IsolationAdapter): readonly string[] =>
  neededFor.filter((name) => capabilities[name] !== 'enforced').map((name) => `"${name}"`)

type Judged = Pick<Verdict, 'given' | 'because'>

export const judge = (adapter: IsolationAdapter, support: QuotaSupport): Judged => {
  if (!support.isKept)
    return {
      given: 'best-effort',
      because: { reason: `looked at every one to ten seconds: ${support.reason}`, fix: support.fix },
    }
  const missing = missingOf(adapter)
  if (missing.length === 0) return { given: 'enforced', because: { reason: support.proof } }
  return {
    given: 'best-effort',
    because: {
      reason: `${support.proof}, but isolation "${adapter.name}" does not promise ${missing.join(', ')}: an instance could take its files out of its project`,
      fix: 'set isolation to one that gives instances a user namespace of their own, such as "namespace"',
    },
  }
}

/** The adapter as it is on this machine, for a service of these promises: what is enforced here exposes nobody. */
export const asFound = (adapter: IsolationAdapter, promises: readonly Verdict[]): IsolationAdapter => {
  const found = promises.find(({ capability }) => capability === quota)?.given
  return found === undefined ? adapter : { ...adapter, capabilities: { ...adapter.capabilities, [quota]: found } }
}
