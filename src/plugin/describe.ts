// What a module says it defines → a description that can be relied on, or what is wrong with it in the words of its author.
// Also reads what `probe` answers. Pure.
import { z } from 'zod'
import type { Floor, Probe } from '../isolation/adapter.ts'
import { capabilities } from '../isolation/capabilities.ts'
import { PluginFailure } from './host.ts'

const limits = z.strictObject({
  memoryBytes: z.number().positive().exactOptional(),
  cpus: z.number().positive().exactOptional(),
  cpuWeight: z.number().positive().exactOptional(),
  processes: z.number().positive().exactOptional(),
  openFiles: z.number().positive().exactOptional(),
  tmpBytes: z.number().positive().exactOptional(),
  storageBytes: z.number().positive().exactOptional(),
})

const network = z.enum(['host', 'private', 'internet'])

const capability = z.string().refine((name) => Object.hasOwn(capabilities, name), {
  error: ({ input }) => `"${input}" is no capability that tenement knows`,
})

const paths = z.array(z.string().startsWith('/', { error: 'must be an absolute path' })).readonly()

const data = z.object({
  name: z.string().min(1),
  apiVersion: z.literal(1),
  privileged: z.boolean().default(false),
  capabilities: z.record(capability, z.enum(['enforced', 'best-effort'])),
  defaults: z
    .strictObject({ network, seccomp: z.string().exactOptional(), limits })
    .default({ network: 'host', limits: {} }),
  needs: z.array(capability).readonly().default([]),
  networks: z.array(network).min(1).readonly().optional(),
  listens: z
    .array(z.enum(['port', 'fd', 'unix']))
    .min(1)
    .readonly()
    .optional(),
  sight: z.strictObject({ shown: paths, own: paths, closed: paths }).optional(),
})

const description = z.object({
  data,
  has: z.object({ settings: z.boolean(), options: z.boolean(), floorFor: z.boolean() }),
  functions: z.array(z.string()),
})

export type Description = z.output<typeof data> & { readonly hasOptions: boolean; readonly hasFloor: boolean }

/** Throws a PluginFailure that says what of the definition is wrong. */
export const readDescription = (told: unknown): Description => {
  const version = (told as { readonly data?: { readonly apiVersion?: unknown } }).data?.apiVersion
  if (version !== 1)
    throw new PluginFailure(
      `its apiVersion is ${written(version)}, and this tenement speaks version 1`,
      'install a release of the plug-in that is made for apiVersion 1',
    )
  const read = description.safeParse(told)
  if (!read.success) throw new PluginFailure(`its definition is wrong: ${sentences(read.error, 1)}`)
  const { has, functions } = read.data
  const missing = ['probe', 'prepare'].find((name) => !functions.includes(name))
  if (missing !== undefined) throw new PluginFailure(`its definition is wrong: ${missing} is no function`)
  const unmade = read.data.data.needs.find((need) => read.data.data.capabilities[need] === undefined)
  if (unmade !== undefined)
    throw new PluginFailure(`its definition is wrong: it needs "${unmade}" and does not promise it`)
  return { ...read.data.data, hasOptions: has.options, hasFloor: has.floorFor }
}

const probe = z.object({
  usable: z.boolean(),
  lost: z.array(z.object({ capability, reason: z.string(), fix: z.string().exactOptional() })).readonly(),
  problem: z.object({ reason: z.string(), fix: z.string() }).exactOptional(),
})

const bounds = z.record(z.string(), z.number())

const floor = z.strictObject({
  resources: bounds.exactOptional(),
  limits: bounds.exactOptional(),
  storage: z.object({ bytes: z.number(), files: z.number() }).exactOptional(),
  confined: z
    .strictObject({
      program: z.string().startsWith('/'),
      depth: z.union([z.literal(2), z.literal(3)]),
      namespaces: z.array(z.enum(['user', 'pid', 'mnt', 'ipc', 'uts', 'cgroup', 'net'])).readonly(),
      isFiltered: z.boolean(),
      shown: paths,
      devices: paths,
      uplink: z.tuple([z.string()], z.string()).readonly().exactOptional(),
      unreachable: z.array(z.string()).readonly().exactOptional(),
    })
    .exactOptional(),
})

export const readFloor = (told: unknown): Floor => {
  const read = floor.safeParse(told)
  if (!read.success) throw new PluginFailure(`its floorFor answered what is no floor: ${sentences(read.error)}`)
  return read.data
}

export const readProbe = (told: unknown): Probe => {
  const read = probe.safeParse(told)
  if (!read.success) throw new PluginFailure(`its probe answered what is no probe: ${sentences(read.error)}`)
  const { usable, problem } = read.data
  if (!usable && problem === undefined)
    throw new PluginFailure('its probe answered usable: false without a problem that says why')
  return read.data
}

const optionIssue = z.object({
  message: z.string(),
  path: z.array(z.union([z.string(), z.number()])).readonly(),
  expected: z.array(z.string()).readonly().exactOptional(),
})

export type PlainIssue = z.output<typeof optionIssue>

/** What a schema of the plug-in's answered, by way of the thread. */
export const readIssues = (told: unknown): readonly PlainIssue[] => {
  const read = z.array(optionIssue).safeParse(told)
  if (!read.success) throw new PluginFailure('its schema answered what no Standard Schema answers')
  return read.data
}

/** 'defaults.network must be …; needs[0] …', without the first `skip` parts of each path. */
const sentences = (error: z.ZodError, skip = 0): string =>
  error.issues
    .map((issue) => {
      const at = issue.path.slice(skip).map(String).join('.')
      const message = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
      return at === '' ? message : `${at}: ${message}`
    })
    .join('; ')

const written = (value: unknown): string => (value === undefined ? 'not written' : JSON.stringify(value))
