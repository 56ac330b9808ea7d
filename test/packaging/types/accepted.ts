// What the editor of an adapter's author must accept, as somebody has it who installed the package.
import { type ConformanceReport, conformance, prove } from 'tenement/conformance'
import { AdapterError, defineAdapter, type Launch, type LaunchPlan, withListenPid } from 'tenement/plugin'

/** A Standard Schema as zod, valibot and arktype make them. */
declare const schema: {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (
      value: unknown,
    ) =>
      | { readonly value: { runtime: string }; readonly issues?: undefined }
      | { readonly issues: readonly { readonly message: string; readonly path?: readonly PropertyKey[] | undefined }[] }
    readonly types?: { readonly input: { runtime?: string }; readonly output: { runtime: string } } | undefined
  }
}

const launchOf = (plan: LaunchPlan): Launch => ({
  argv: withListenPid(plan.argv, plan.reach),
  env: plan.env,
  cwd: plan.cwd,
  identity: plan.identity,
  umask: 0o077,
  directories: [{ path: plan.dataDir, mode: 0o700, owner: 'tenant' }],
  descriptors: [],
  limits: { nofile: 100 },
  resources: {},
  depth: 0,
  reach: plan.reach,
})

export const smallest = defineAdapter({
  name: 'smallest',
  apiVersion: 1,
  capabilities: {},
  probe: () => ({ usable: true, lost: [] }),
  prepare: launchOf,
})

export const whole = defineAdapter({
  name: 'whole',
  apiVersion: 1,
  privileged: true,
  capabilities: { 'net.private': 'enforced', 'disk.quota': 'best-effort' },
  defaults: { network: 'private', seccomp: 'default', limits: { memoryBytes: 1 } },
  needs: ['net.private'],
  networks: ['private'],
  listens: ['fd', 'unix'],
  sight: { shown: ['/usr'], own: ['/tmp'], closed: ['/proc'] },
  settings: schema,
  options: schema,
  probe: async ({ isRoot }, { runtime }) => {
    if (!isRoot) throw new AdapterError(`${runtime.toUpperCase()} needs root`, { fix: 'start tenement as root' })
    return { usable: true, lost: [{ capability: 'net.private', reason: 'none here' }] }
  },
  // What the schema makes is what arrives.
  prepare: async (plan, settings) => ({
    ...launchOf(plan),
    argv: [plan.options.runtime.toLowerCase(), settings.runtime],
    privileged: true,
  }),
})

export const proved: Promise<ConformanceReport> = prove({ plugin: '/a.js', folder: '/', settings: { runtime: 'runc' } })

declare const runner: {
  describe(name: string, tests: () => void): void
  test(name: string, run: (context: { skip(reason?: string): never }) => void | Promise<void>): void
  beforeAll(run: () => Promise<void>, timeout?: number): void
}
export const tested: Promise<void> = conformance({ plugin: new URL('file:///a.js'), runner })
