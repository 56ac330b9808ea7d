// Every key of tenement.toml: its kind, its sentence and its default, once. Types, messages, the JSON Schema and the reference follow from here.
// The file is snake_case as people write it; what comes out is camelCase with units in the names (`outputNames`).
// Defaults that depend on the machine or on another key are not here: directories.ts and resolve.ts fill them in.
import { z } from 'zod'
import { acceptableLosses } from '../isolation/capabilities.ts'
import { namePattern } from '../names.ts'
import {
  choice,
  choices,
  duration,
  durationOrNever,
  flag,
  numberBetween,
  path,
  paths,
  plugin,
  positiveNumber,
  size,
  templateText,
  text,
  whole,
} from './kinds.ts'
import { domainList, listenAddresses, loopbackAddress, networkList } from './networkKinds.ts'
import {
  command,
  readiness,
  secretName,
  signal,
  uidRange,
  urlPath,
  urlPaths,
  userName,
  variable,
} from './processKinds.ts'

const name = z
  .string()
  .regex(namePattern, { error: 'must be 1 to 63 of a-z, 0-9 and "-", beginning and ending with a letter or digit' })
const table = { error: 'must be a table' }

/** What a key is called in the code, where it differs from the file. */
const outputNames = {
  domain: 'domains',
  data_dir: 'dataDir',
  state_dir: 'stateDir',
  run_dir: 'runDir',
  log_dir: 'logDir',
  tenant_uids: 'tenantUids',
  trusted_proxies: 'trustedProxies',
  max_running: 'maxRunning',
  max_concurrent_wakes: 'maxConcurrentWakes',
  max_exposure: 'maxExposure',
  hold_timeout: 'holdTimeoutMs',
  page_after: 'pageAfterMs',
  expose_timing: 'exposeTiming',
  start_timeout: 'startTimeoutMs',
  stop_timeout: 'stopTimeoutMs',
  stop_signal: 'stopSignal',
  drain_timeout: 'drainTimeoutMs',
  idle_timeout: 'idleTimeoutMs',
  freeze_after: 'freezeAfterMs',
  liveness_strict: 'livenessStrict',
  memory_max: 'memoryMaxBytes',
  cpu_max: 'cpuMax',
  cpu_weight: 'cpuWeight',
  pids_max: 'pidsMax',
  files_max: 'filesMax',
  tmp_size: 'tmpSizeBytes',
  storage_max: 'storageMaxBytes',
  queue_max: 'queueMax',
  response_timeout: 'responseTimeoutMs',
  wakes_per_client: 'wakesPerClient',
  wakes_max: 'wakesMax',
  flap_guard: 'flapGuard',
  max_body: 'maxBodyBytes',
  retry_post: 'retryPost',
  asleep_health: 'asleepHealth',
} as const

type OutputName<Key> = Key extends keyof typeof outputNames ? (typeof outputNames)[Key] : Key
type Renamed<Table> = { readonly [Key in keyof Table as OutputName<Key>]: Table[Key] }

const isRenamed = (key: string): key is keyof typeof outputNames => Object.hasOwn(outputNames, key)

/** What a key of the file is called in the code. */
export const outputNameOf = (key: string): string => (isRenamed(key) ? outputNames[key] : key)

/** The same values under the names the code uses. */
const rename = <Table extends object>(values: Table): Renamed<Table> => {
  const renamed = Object.entries(values).map(([key, value]) => [outputNameOf(key), value])
  return Object.fromEntries(renamed)
}

export const settingsKeys = z.strictObject(
  {
    listen: listenAddresses('127.0.0.1:8080').describe(
      'Where tenement accepts connections: address and port, a port of 127.0.0.1, or a list of these; ":8080" is every address.',
    ),
    domain: domainList('localhost').describe(
      'The domain below which instances are found as {id}.{service}.{domain}, or a list of domains.',
    ),
    data_dir: path()
      .exactOptional()
      .describe(
        "Folder of the instances' data. Default: /var/lib/tenement/data as root, else $XDG_DATA_HOME/tenement/data.",
      ),
    state_dir: path()
      .exactOptional()
      .describe(
        'Folder of what tenement itself must remember. Default: /var/lib/tenement/state as root, else $XDG_STATE_HOME/tenement.',
      ),
    run_dir: path()
      .exactOptional()
      .describe(
        'Folder of sockets, gone after a reboot. Default: /run/tenement as root, else $XDG_RUNTIME_DIR/tenement, else the folder run below state_dir.',
      ),
    log_dir: path()
      .exactOptional()
      .describe(
        "Folder of the instances' output. Default: /var/log/tenement as root, else the folder log below state_dir.",
      ),
    user: userName()
      .exactOptional()
      .describe(
        'The unprivileged user the server runs as when tenement is started as root. Default: the account tenement where there is one, else the uid below tenant_uids.',
      ),
    tenant_uids: uidRange('700000-765535').describe(
      'Uids given to tenants, one each, when tenement is started as root; no other account may lie in this range.',
    ),
    trusted_proxies: networkList().describe(
      'Addresses and networks of proxies whose X-Forwarded-* and X-Request-Id headers are believed.',
    ),
    max_running: whole(1, 1_000_000)
      .exactOptional()
      .describe('How many instances may be awake at once. Default: no bound.'),
    max_concurrent_wakes: whole(1, 100_000)
      .exactOptional()
      .describe('How many instances may be starting at once. Default: 4 per processor, at least 8.'),
    hold_timeout: duration('30s', { zero: true }).describe(
      'How long a request waits for its instance to wake before it is answered with 503.',
    ),
    page_after: durationOrNever('1500ms', { zero: true }).describe(
      'How long a browser going to a page waits for its instance to wake before it is shown a page that waits in its place; "never" has it wait like any other client.',
    ),
    wakes_per_client: whole(1, 1_000_000)
      .prefault(60)
      .describe(
        'How many different instances one client address may wake in a minute; for more it gets 429. An IPv6 address counts as its /64; this machine and trusted_proxies are not counted, the clients these forward for are.',
      ),
    metrics: loopbackAddress()
      .exactOptional()
      .describe(
        'Where Prometheus finds GET /metrics: a loopback address and port, such as "127.0.0.1:9464". Whoever is on this machine can read it, instances on its network too. Default: only "tenement metrics".',
      ),
    expose_timing: flag(false).describe(
      'Whether answers of instances carry a Server-Timing header that tells how long the request waited for its instance: in the queue, for the wake, and for the answer.',
    ),
    max_exposure: numberBetween(0, 10)
      .exactOptional()
      .describe('The same key of every service that has none of its own. Default: no bound.'),
  },
  table,
)

const mebibyte = { bytes: 1024 ** 2, written: '1MB' }
const environment = z
  .record(
    variable(),
    z
      .union([z.string(), z.number(), z.boolean()], { error: 'must be a text, a number, or true or false' })
      .transform(String),
    table,
  )
  .readonly()

export const secretKeys = z.strictObject(
  { file: path().describe('The file; a relative one is relative to the folder of tenement.toml.') },
  { error: 'must be a table such as { file = "secrets/token" }: a secret itself does not belong into the config' },
)

const serviceShape = {
  command: command().describe(
    'What starts an instance: one text split by the quoting rules of a shell, without a shell, or a list of arguments. Templates: {id} {name} {data_dir} {port} {socket}.',
  ),
  cwd: path()
    .prefault('.')
    .describe('The folder an instance starts in; a relative one is relative to the folder of tenement.toml.'),
  isolation: text('must be the name of an isolation adapter')
    .meta({ title: 'name of an adapter' })
    .describe(
      'How instances are confined: the name of an isolation adapter. There is no default: write the one you mean.',
    ),
  listen: choice(['port', 'fd', 'unix'])
    .prefault('port')
    .describe(
      'How an instance is reached: it listens on 127.0.0.1:$PORT, on the socket it inherits as descriptor 3, or on the unix socket $SOCKET_PATH.',
    ),
  health: urlPath()
    .exactOptional()
    .describe('A path that answers with a 2xx or 3xx status when the instance can serve.'),
  liveness: urlPath()
    .exactOptional()
    .describe(
      'A path asked every ten seconds while an instance is ready; one that answers with no 2xx or 3xx status within 2 seconds, three times in a row, is stopped and counts as crashed.',
    ),
  liveness_strict: flag(false).describe(
    'Whether an instance that fails `liveness` is stopped although bytes of its responses still arrive. Without this it counts as busy.',
  ),
  ready: readiness()
    .exactOptional()
    .describe(
      'When an instance counts as ready: it accepts a connection, it answers `health`, or it writes a line that matches. Default: "http" when health is set, else "tcp".',
    ),
  start_timeout: duration('60s').describe('How long an instance may take to become ready before it is killed.'),
  stop_timeout: duration('10s', { zero: true }).describe(
    'How long an instance may take to end after its stop signal before it is killed.',
  ),
  stop_signal: signal('SIGTERM').describe(
    'The signal that asks an instance to end: TERM, INT, QUIT, HUP, USR1 or USR2.',
  ),
  drain_timeout: duration('30s', { zero: true }).describe(
    'How long requests in progress may take when an instance is to be stopped.',
  ),
  idle_timeout: durationOrNever('5m').describe(
    'How long an instance may go unused before it is stopped; "never" keeps it awake once woken.',
  ),
  freeze_after: durationOrNever('never').describe(
    'How long an instance may go unused before it is frozen: it keeps its memory, gets no processor time, and goes on at once with its next request. Shorter than idle_timeout, which still stops it.',
  ),
  autostart: flag(false).describe('Whether instances are started with tenement rather than by their first request.'),
  open: flag(false).describe(
    'Whether any well-formed id may be requested and is then created, without being declared.',
  ),
  network: choice(['host', 'private', 'internet'])
    .exactOptional()
    .describe(
      "What an instance can reach: the machine's network, nothing, or the internet without private ranges and this machine (by a helper that costs about 30 MB of memory an instance). Default: the adapter's own.",
    ),
  read: paths().describe('Paths beyond its folder that an instance may read.'),
  write: paths().describe('Paths beyond its data directory that an instance may write.'),
  secrets: z
    .record(secretName(), secretKeys, table)
    .readonly()
    .prefault({})
    .meta({ title: 'table' })
    .describe(
      'Files that every instance finds, read-only, as /run/secrets/NAME, and nowhere else: [service.X.secrets] NAME = { file = "path" }.',
    ),
  data: templateText()
    .prefault('{data_dir}/{id}')
    .describe("An instance's data directory. Templates: {data_dir} {id} {name}."),
  seccomp: text('must be the name or path of a seccomp profile')
    .exactOptional()
    .describe(
      "The seccomp profile instances run under: strict, default, permissive, nested, or the path of a file. Default: the adapter's own.",
    ),
  memory_max: size(mebibyte)
    .exactOptional()
    .describe(
      'Most memory an instance may use, counted in 1024s: "256MB" is 268435456 bytes. Default: the adapter\'s own, or no bound.',
    ),
  cpu_max: positiveNumber(1_024)
    .exactOptional()
    .describe("Most processors an instance may use, such as 0.5. Default: the adapter's own, or no bound."),
  cpu_weight: whole(1, 10_000)
    .exactOptional()
    .describe('Share of processor time against other instances when all are busy; 100 is usual.'),
  pids_max: whole(1, 4_194_304)
    .exactOptional()
    .describe("Most processes and threads an instance may have. Default: the adapter's own, or no bound."),
  files_max: whole(16, 1_048_576)
    .exactOptional()
    .describe("Most files an instance may have open. Default: the adapter's own, or the machine's."),
  tmp_size: size({ bytes: 4_096, written: '4KB' })
    .exactOptional()
    .describe("Size of an instance's own /tmp, counted in 1024s. Default: the adapter's own."),
  storage_max: size(mebibyte)
    .exactOptional()
    .describe(
      "Most an instance's data directory may hold, counted in 1024s; kept by a quota where its file system enforces those of projects, else looked at every one to ten seconds, the less often the more there is. Default: no bound.",
    ),
  accept: choices(acceptableLosses).describe(
    'Promises of its isolation that a service goes without on a machine that cannot keep them. Without this it is not started there.',
  ),
  max_exposure: numberBetween(0, 10)
    .exactOptional()
    .describe(
      'Most a service may be exposed on this machine, from 0 to 10 as "tenement check" shows it; one that is exposed more is not started. Default: that of [settings], or no bound.',
    ),
  queue_max: whole(1, 100_000)
    .prefault(100)
    .describe('How many requests may wait for one instance to wake; more are answered with 503.'),
  response_timeout: duration('120s').describe(
    'How long an instance may take from a request to the head of its response before the client gets 504.',
  ),
  max_body: size({ bytes: 1, written: '1' })
    .exactOptional()
    .describe(
      'Most bytes the body of a request may have, counted in 1024s; more is answered with 413, before anything is woken where its length is told. Default: no bound.',
    ),
  retry_post: flag(false).describe(
    'Whether a POST or PATCH with an Idempotency-Key header is sent again, like a PUT, when the instance closed an idle connection under it; only for services that keep to the header.',
  ),
  asleep_health: urlPaths().describe(
    'A path, or a list of them, that is answered with 200 and {"state":"asleep"} while an instance sleeps, without waking it. For monitors.',
  ),
  wakes_max: whole(1, 1_000)
    .prefault(20)
    .describe('How often one instance may be woken in a minute before that is reported, and flap_guard acts.'),
  flap_guard: flag(false).describe(
    'Whether an instance that is woken more often than wakes_max in a minute is kept awake for ten.',
  ),
  env: environment
    .prefault({})
    .meta({ title: 'table of texts' })
    .describe(
      'The environment of instances, beside PORT, SOCKET_PATH and a small documented base. Templates: {id} {name} {data_dir} {port} {socket}.',
    ),
  options: z
    .record(z.string(), z.unknown(), table)
    .prefault({})
    .meta({ title: 'table' })
    .describe('Options of the isolation adapter; it says which there are.'),
} as const

const again = <Inner extends z.ZodType>(key: z.ZodPrefault<Inner>) =>
  key
    .unwrap()
    .exactOptional()
    .describe(key.description ?? '')

export const overrideKeys = z.strictObject(
  {
    env: environment
      .exactOptional()
      .meta({ title: 'table of texts' })
      .describe('Variables of this tenant, added to those of the service or replacing them.'),
    idle_timeout: again(serviceShape.idle_timeout),
    autostart: again(serviceShape.autostart),
    memory_max: serviceShape.memory_max,
    cpu_max: serviceShape.cpu_max,
    cpu_weight: serviceShape.cpu_weight,
    pids_max: serviceShape.pids_max,
    files_max: serviceShape.files_max,
    tmp_size: serviceShape.tmp_size,
    storage_max: serviceShape.storage_max,
    network: serviceShape.network,
    read: again(serviceShape.read),
    write: again(serviceShape.write),
  },
  table,
)

export const serviceKeys = z.strictObject(
  {
    ...serviceShape,
    tenant: z
      .record(name, overrideKeys.transform(rename), table)
      .prefault({})
      .meta({ title: 'table' })
      .describe('What differs for one tenant, by instance id: [service.X.tenant.ID].'),
  },
  table,
)

/** Whatever else is written there is for the plug-in, which says which keys there are. */
export const pluginKeys = z.looseObject(
  {
    plugin: plugin().describe(
      'The package or module that provides the isolation adapter; a path is relative to the folder of tenement.toml, where packages are looked for too. Further keys are for the plug-in.',
    ),
    privileged: flag(false).describe('Whether what the plug-in starts may begin as root, where it says that it must.'),
  },
  table,
)

/** An isolation that comes as a plug-in. */
export interface Plugin {
  /** The name of a package, or an absolute path. */
  readonly plugin: string
  readonly privileged: boolean
  /** The keys beside these two. */
  readonly settings: Readonly<Record<string, unknown>>
}

const separateSettings = ({ plugin, privileged, ...settings }: z.output<typeof pluginKeys>): Plugin => ({
  plugin,
  privileged,
  settings,
})

const idList = { error: 'must be a list of instance ids' }

export const fileKeys = z
  .strictObject({
    settings: settingsKeys.transform(rename).prefault({}).describe('What concerns tenement as a whole.'),
    service: z
      .record(name, serviceKeys.transform(rename), table)
      .prefault({})
      .describe('The programs, by service name.'),
    instances: z
      .record(name, z.array(name, idList), table)
      .prefault({})
      .describe('The declared instances: a list of ids for each service.'),
    hosts: z
      .record(z.string(), z.string({ error: 'must be an instance such as "api:acme"' }), table)
      .prefault({})
      .describe('Further hosts that lead to an instance: "shop.acme.com" = "api:acme".'),
    isolation: z
      .record(name, pluginKeys.transform(separateSettings), table)
      .prefault({})
      .describe('Isolation adapters that come as plugins, by the name services use.'),
  })
  .describe('tenement.toml: which services there are, whose instances, and where they are found.')

/** The file as its schema reads it, before defaults that depend on the machine and before paths are absolute. */
export type ReadFile = z.output<typeof fileKeys>
export type ReadSettings = ReadFile['settings']
export type ReadService = ReadFile['service'][string]

/** What can differ for one tenant. */
export type Overrides = ReadService['tenant'][string]

/** When an instance counts as ready. */
export type Ready =
  | { readonly kind: 'tcp' }
  | { readonly kind: 'http'; readonly path: string }
  | { readonly kind: 'log'; readonly pattern: string }

type Directories = 'dataDir' | 'stateDir' | 'runDir' | 'logDir'

/** What concerns tenement as a whole. Directories are absolute. */
export type Settings = Omit<ReadSettings, Directories | 'maxConcurrentWakes'> &
  Readonly<Record<Directories, string>> & { readonly maxConcurrentWakes: number }

/** One program. `command`, `env` and `data` hold templates not yet filled; `cwd`, `read`, `write` and files of secrets are absolute. */
export type Service = Omit<ReadService, 'ready'> & { readonly name: string; readonly ready: Ready }

/** A whole config that makes sense in itself; whether this machine can run it is src/check's question. */
export interface Config {
  /** Absolute path of the file it was read from. */
  readonly file: string
  readonly text: string
  readonly settings: Settings
  readonly services: ReadonlyMap<string, Service>
  /** Declared instance ids by service name. */
  readonly instances: ReadonlyMap<string, readonly string[]>
  /** 'api:acme' by host in lower case, without port or trailing dot. */
  readonly hosts: ReadonlyMap<string, string>
  /** Plugins by the isolation name they provide; a path is absolute. */
  readonly isolation: ReadonlyMap<string, Plugin>
}
