// A checked config → what the launcher is told at its start and keeps to: whom it may run as, where, and on which sockets.
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { findBarrier } from '../check/reachability.ts'
import { dataDirParts, dataRootFor } from '../config/dataDir.ts'
import { type Config, fileKeys, type Service, type Settings } from '../config/schema.ts'
import { currentSurroundings } from '../config/surroundings.ts'
import { messageOf, TenementError } from '../errors.ts'
import type { Adapters } from '../isolation/registry.ts'
import type { CodeDir, Grants, LauncherSettings, ListenAddress, Policy } from '../launcher/protocol.ts'
import { quotaSupport } from '../launcher/storage/support.ts'
import type { ServerSettings } from '../server/settings.ts'
import { floorsFor } from './floors.ts'
import { lastProof } from './proofs.ts'

/** Account and group that tenement takes when they exist and nothing else was written. */
const ownAccount = 'tenement'

const logLimits = { maxBytes: 10 * 1024 ** 2, files: 5, bytesPerSecond: 1024 ** 2 }

/** Rejects with a TenementError for a user or a host name that this machine does not know. */
export const launcherSettingsFor = async ({ adapters, ...served }: Served): Promise<LauncherSettings> => {
  const { config, unrunnable, givenUp } = served
  return {
    policy: { ...(await policyFor(config)), floors: await floorsFor(served, adapters) },
    endTimeoutMs: endTimeoutFor(config),
    listen: (await Promise.all(config.settings.listen.map(resolveListen))).flat(),
    ...(config.settings.metrics === undefined ? {} : { metrics: config.settings.metrics }),
    serverFile: fileURLToPath(new URL('../serve.js', import.meta.url)),
    server: serverSettingsFor(config, { unrunnable, givenUp, lastProof: await proofFor(config) }),
  }
}

/** Nothing is refused for want of it, so what keeps it from being read is told and no more. */
const proofFor = async (config: Config): Promise<ServerSettings['lastProof']> => {
  try {
    const used = [...config.services.values()].map(({ isolation }) => isolation)
    const { line, broken } = await lastProof(config, new Set(used))
    return { line, broken }
  } catch (error) {
    return { line: `the last proof cannot be read: ${messageOf(error)}`, broken: null }
  }
}

/** What is to be served, and what of it only in part. */
export interface Served extends Pick<ServerSettings, 'unrunnable' | 'givenUp'> {
  readonly config: Config
  readonly adapters: Adapters
}

/** The longest an instance may take to stop, and some for what tenement itself does. */
const endTimeoutFor = ({ services }: Config): number =>
  Math.max(...[...services.values()].map(({ stopTimeoutMs }) => stopTimeoutMs), 0) + 10_000

const policyFor = async ({ settings, services, isolation }: Config): Promise<Omit<Policy, 'floors'>> => {
  const isRoot = process.geteuid?.() === 0
  const controlGid = await findId('group', ownAccount)
  const all = [...services.values()]
  const dataRoots = [...new Set(all.map((service) => dataRootFor(service, settings)))]
  return {
    runDir: settings.runDir,
    logDir: settings.logDir,
    stateDir: settings.stateDir,
    dataRoots,
    quotaRoots: isRoot ? dataRoots.filter(keepsQuotas) : [],
    dataDirs: Object.fromEntries(all.map((service) => [service.name, dataDirParts(service, settings)])),
    codeDirs: await Promise.all(all.map(({ name, cwd }) => codeDirFor(name, cwd, settings.runDir, isRoot))),
    grants: Object.fromEntries(
      await Promise.all(
        all.map(async (service) => [service.name, await grantsFor(service, settings.runDir, isRoot)] as const),
      ),
    ),
    privileged: all.filter((service) => isolation.get(service.isolation)?.privileged).map(({ name }) => name),
    ...(isRoot ? { tenantUids: settings.tenantUids, serverIdentity: await serverIdentityFor(settings) } : {}),
    ...(isRoot && controlGid !== undefined ? { controlGid } : {}),
    log: logLimits,
  }
}

/** Where it cannot be asked there is none to rely on: bounds are kept by looking there, as `check` says. */
const keepsQuotas = (folder: string): boolean => {
  try {
    return quotaSupport(folder).isKept
  } catch {
    return false
  }
}

/** A grant is shown inside where it lies outside, by way of another place where the path there is barred. */
const grantsFor = async (service: Service, runDir: string, isRoot: boolean): Promise<Grants> => {
  const { name } = service
  const all = (kind: 'read' | 'write'): string[] => [
    ...new Set([service, ...Object.values(service.tenant)].flatMap((keys) => keys[kind] ?? [])),
  ]
  const placed = (paths: readonly string[], kind: string): Promise<CodeDir[]> =>
    Promise.all(
      paths.map(async (path, index) =>
        isRoot && (await findBarrier(path)) !== undefined
          ? { path, boundAt: join(runDir, 'grants', name, `${kind}${index}`) }
          : { path },
      ),
    )
  return {
    read: await placed(all('read'), 'read'),
    write: await placed(all('write'), 'write'),
    secrets: Object.fromEntries(Object.entries(service.secrets).map(([secret, { file }]) => [secret, file])),
  }
}

/** As root a tenant's uid needs a way to the code; where the path has none, the launcher shows it in another place. */
const codeDirFor = async (service: string, cwd: string, runDir: string, isRoot: boolean): Promise<CodeDir> =>
  isRoot && (await findBarrier(cwd)) !== undefined
    ? { path: cwd, boundAt: join(runDir, 'code', service) }
    : { path: cwd }

/** Without an account of its own the server takes the number below the tenants': nobody else on the machine has it. */
export const serverIdentityFor = async ({
  user,
  tenantUids,
}: Pick<Settings, 'user' | 'tenantUids'>): Promise<{ uid: number; gid: number }> => {
  const name = user ?? ownAccount
  const uid = await findId('passwd', name)
  if (uid === undefined) {
    if (user !== undefined) throw unknownUser(user)
    return { uid: tenantUids.first - 1, gid: tenantUids.first - 1 }
  }
  if (uid === 0 || (uid >= tenantUids.first && uid <= tenantUids.last))
    throw new TenementError(
      'invalid_config',
      `settings.user = "${name}" is uid ${uid}, which the server must not run as`,
      {
        fix: 'name an account that is neither root nor a tenant',
      },
    )
  const { stdout } = await execa('id', ['-g', String(name)])
  return { uid, gid: Number(stdout) }
}

/** The settings of a config that says nothing of them. */
export const usualSettings = (): Pick<Settings, 'user' | 'tenantUids'> => fileKeys.parse({}).settings

const unknownUser = (user: string): TenementError =>
  new TenementError('invalid_config', `settings.user = "${user}" is no account of this machine`, {
    fix: `useradd --system --no-create-home ${user}, or remove settings.user`,
  })

/** The number of an account or group, by name or number; undefined when there is none (getent(1) answers 2). */
const findId = async (database: 'passwd' | 'group', name: string): Promise<number | undefined> => {
  const { stdout, exitCode } = await execa('getent', [database, name], { reject: false })
  const id = stdout?.split(':')[2]
  return exitCode === 0 && id !== undefined ? Number(id) : undefined
}

const resolveListen = async ({ host, port }: ListenAddress): Promise<ListenAddress[]> => {
  if (isIP(host) !== 0) return [{ host, port }]
  try {
    const addresses = await lookup(host, { all: true })
    return [...new Set(addresses.map(({ address }) => address))].map((address) => ({ host: address, port }))
  } catch (error) {
    throw new TenementError('invalid_config', `settings.listen names "${host}", which this machine cannot resolve`, {
      fix: 'write an address, such as "127.0.0.1:8080", or ":8080" for all of them',
      cause: error,
    })
  }
}

/** Only what decides where directories are: the server's own environment is another. */
const surroundingNames = [
  'XDG_DATA_HOME',
  'XDG_STATE_HOME',
  'XDG_RUNTIME_DIR',
  'STATE_DIRECTORY',
  'RUNTIME_DIRECTORY',
  'LOGS_DIRECTORY',
]

const serverSettingsFor = (
  { file, text }: Config,
  parts: Omit<ServerSettings, 'configFile' | 'configText' | 'surroundings'>,
): ServerSettings => {
  const surroundings = currentSurroundings()
  const env = Object.fromEntries(surroundingNames.map((name) => [name, surroundings.env[name]]))
  return { configFile: file, configText: text, surroundings: { ...surroundings, env }, ...parts }
}
