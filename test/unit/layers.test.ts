// Which part of src may import which. The table is the design: a row gives a folder (or a file of src itself) and what it may
// use; a part that is not in it, or an import that its row does not allow, fails here with what to do about it.
// `import type` costs nothing when the program runs, so a part may take its types from more places than its values.
import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

interface Row {
  /** Folders and files of src it may import from, besides itself. */
  readonly values: readonly string[]
  /** Folders and files of src it may import types from, besides those. */
  readonly types?: readonly string[]
  readonly packages?: readonly string[]
}

const table: Readonly<Record<string, Row>> = {
  'names.ts': { values: [] },
  'refusal.ts': { values: [] },
  'departure.ts': { values: [] },
  'errors.ts': { values: [] },
  'escapeHtml.ts': { values: [] },
  'abortsWithin.ts': { values: [], types: ['departure.ts'] },
  // What may be accepted as lost is declared beside the promises themselves.
  config: { values: ['names.ts', 'errors.ts', 'isolation/capabilities.ts'], packages: ['zod', 'smol-toml'] },
  isolation: { values: ['names.ts', 'errors.ts', 'cgroups'], packages: ['execa'] },
  // Asked by whoever has to know what this machine can bound, written by the launcher alone.
  cgroups: { values: ['errors.ts'] },
  // Other people's adapters. What they answer is read by the launcher's own parser.
  plugin: {
    values: ['errors.ts', 'config', 'isolation', 'launcher/parseRequest.ts'],
    packages: ['zod'],
  },
  // Runs inside instances as hostile code does, so it brings along all it needs and nothing of tenement's.
  attack: { values: [], packages: ['koffi'] },
  // Proves an adapter in a tenement of its own, for its author and for whoever is to use it.
  conformance: {
    values: ['errors.ts', 'cgroups', 'check', 'config', 'control', 'isolation', 'plugin', 'proof'],
    packages: ['smol-toml'],
  },
  // Has an adapter attacked on this machine, from the plan to the processes, as the server would start them.
  proof: {
    values: [
      ...['names.ts', 'errors.ts', 'attack', 'cgroups', 'check', 'config', 'isolation', 'launcher', 'seccomp'],
      ...['supervisor/plan.ts', 'packageVersion.ts'],
    ],
    packages: ['execa'],
  },
  // Profiles of system calls → filters. Whoever needs one gets bytes.
  seccomp: { values: ['errors.ts', 'config/suggest.ts', 'launcher/libc.ts'], packages: ['koffi'] },
  // What an instance calls of the kernel → a profile. Runs strace, on the command line's side.
  trace: { values: ['errors.ts', 'seccomp', 'isolation'] },
  state: { values: ['errors.ts'], packages: ['@photostructure/sqlite'] },
  // Durations in a query are written as in the config.
  control: { values: ['abortsWithin.ts', 'names.ts', 'errors.ts', 'config/units.ts'] },
  router: {
    values: ['abortsWithin.ts', 'departure.ts', 'names.ts', 'refusal.ts', 'errors.ts', 'escapeHtml.ts'],
    packages: ['undici'],
  },
  // Reviewed in an hour and changed rarely: whatever it imports belongs to what has to be trusted.
  launcher: { values: ['names.ts', 'errors.ts', 'cgroups'], types: ['isolation/adapter.ts'], packages: ['koffi'] },
  check: { values: ['names.ts', 'errors.ts', 'cgroups', 'config', 'isolation'], packages: ['execa'] },
  supervisor: {
    values: [
      'names.ts',
      'refusal.ts',
      'departure.ts',
      'errors.ts',
      'state',
      'config/template.ts',
      'isolation/asked.ts',
      'isolation/options.ts',
      'isolation/reach.ts',
      'launcher/client.ts',
    ],
    types: [
      ...['config', 'router/wake.ts', 'isolation/adapter.ts', 'launcher/protocol.ts'],
      ...['control/operations.ts', 'control/account.ts'],
    ],
  },
  cli: {
    values: [
      'names.ts',
      'errors.ts',
      'escapeHtml.ts',
      'config',
      'check',
      'conformance',
      'control',
      'isolation',
      'launcher',
      'plugin',
      'proof',
      'seccomp',
      'state',
      'trace',
      'packageVersion.ts',
      // A table of words, to explain them by.
      'router/reasons.ts',
    ],
    types: ['server/settings.ts'],
    packages: ['commander', 'execa', 'pino', 'smol-toml'],
  },
  // Counts what the others tell; nobody but the place where they meet knows that it does.
  metrics: {
    values: ['control/operations.ts'],
    types: ['router/report.ts', 'supervisor/report.ts', 'supervisor/census.ts', 'launcher/client.ts'],
    packages: ['prom-client'],
  },
  'packageVersion.ts': { values: ['control/decode.ts'] },
  // What the server process needs before and around its parts, each file for itself.
  server: {
    values: [
      ...['errors.ts', 'names.ts', 'packageVersion.ts', 'config', 'check', 'isolation', 'launcher', 'plugin'],
      ...['seccomp', 'state', 'supervisor'],
    ],
    types: ['control/operations.ts', 'control/wire.ts'],
    packages: ['pino'],
  },
  // The one place where the parts meet: nothing else imports both router and supervisor.
  'serve.ts': {
    values: [
      ...[
        'names.ts',
        'refusal.ts',
        'errors.ts',
        'config',
        'check',
        'control',
        'isolation',
        'launcher',
        'metrics',
        'plugin',
        'router',
      ],
      ...['state', 'supervisor', 'server', 'packageVersion.ts'],
    ],
    packages: ['pino'],
  },
}

/** Files that alone may import a package, where few are enough. */
const onlyIn: Readonly<Record<string, readonly string[]>> = {
  koffi: [
    'launcher/libc.ts',
    'launcher/libc/call.ts',
    'launcher/libc/passing.ts',
    'seccomp/libseccomp.ts',
    'attack/kernel.ts',
  ],
}

interface Import {
  readonly from: string
  readonly specifier: string
  readonly isType: boolean
}

/** Paths relative to src, each with its text. */
type Sources = ReadonlyMap<string, string>

const importsOf = (from: string, text: string): readonly Import[] => {
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[\w$\s{},*]*?\sfrom\s*)?['"]([^'"]+)['"]/gm)
  const dynamic = text.matchAll(/\bimport\(\s*['"`]([^'"`]+)['"`]/g)
  return [
    ...[...statements].map(([, type, specifier = '']) => ({ from, specifier, isType: type !== undefined })),
    ...[...dynamic].map(([, specifier = '']) => ({ from, specifier, isType: false })),
  ]
}

const partOf = (path: string): string => path.split('/')[0] ?? path

const isRelative = ({ specifier }: Import): boolean => specifier.startsWith('.')

const targetOf = ({ from, specifier }: Import): string => posix.join(posix.dirname(from), specifier)

const isBuiltin = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier)

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

/** What is wrong with one import; undefined when the table allows it. */
const problemWith = (used: Import, rows: Readonly<Record<string, Row>>): string | undefined => {
  const part = partOf(used.from)
  const row = Object.hasOwn(rows, part) ? rows[part] : undefined
  if (row === undefined) return `src/${part} has no row in the table: add one that says what it may import`
  return isRelative(used) ? problemWithFile(used, part, row) : problemWithPackage(used, part, row)
}

const problemWithFile = (used: Import, part: string, row: Row): string | undefined => {
  const target = targetOf(used)
  if (target.startsWith('..')) return `src/${used.from} imports ${used.specifier}, which is outside of src`
  if (partOf(target) === part) return undefined
  const covers = (allowed: string): boolean => allowed === target || allowed === partOf(target)
  if (row.values.some(covers)) return undefined
  if (!(row.types ?? []).some(covers)) {
    return `src/${used.from} imports ${target}, but ${part} may import only ${listOf(row)}: declare a small type of its own, or let serve.ts connect them`
  }
  return used.isType
    ? undefined
    : `src/${used.from} imports ${target} for more than its types: write "import type", or pass the value in`
}

const listOf = ({ values, types = [] }: Row): string =>
  [...values, ...types.map((name) => `types of ${name}`)].join(', ') || 'its own files'

const problemWithPackage = (used: Import, part: string, row: Row): string | undefined => {
  if (isBuiltin(used.specifier)) return undefined
  const name = packageOf(used.specifier)
  if (!(row.packages ?? []).includes(name)) {
    return `src/${used.from} imports the package ${name}, but ${part} may use ${row.packages?.join(', ') ?? 'no package'}`
  }
  const files = onlyIn[name]
  return files === undefined || files.includes(used.from)
    ? undefined
    : `src/${used.from} imports ${name}, which only ${files.join(' and ')} may do`
}

/** The parts that import one another in a ring, types included: 'a → b → a'; undefined when there is none. */
const ringIn = (imports: readonly Import[]): string | undefined => {
  const uses = new Map<string, Set<string>>()
  for (const used of imports.filter(isRelative)) {
    const target = partOf(targetOf(used))
    if (target !== partOf(used.from))
      uses.set(partOf(used.from), (uses.get(partOf(used.from)) ?? new Set()).add(target))
  }
  const follow = (path: readonly string[], part: string): string | undefined => {
    if (path.includes(part)) return [...path.slice(path.indexOf(part)), part].join(' → ')
    for (const next of uses.get(part) ?? []) {
      const ring = follow([...path, part], next)
      if (ring !== undefined) return ring
    }
    return undefined
  }
  return [...uses.keys()].map((part) => follow([], part)).find((ring) => ring !== undefined)
}

const problemsIn = (sources: Sources): readonly string[] => {
  const imports = [...sources].flatMap(([path, text]) => importsOf(path, text))
  const ring = ringIn(imports)
  const unlisted = [...new Set([...sources.keys()].map(partOf))].filter((part) => !Object.hasOwn(table, part))
  return [
    ...unlisted.map((part) => `src/${part} has no row in the table: add one that says what it may import`),
    ...imports.filter((used) => !unlisted.includes(partOf(used.from))).map((used) => problemWith(used, table)),
    ring === undefined ? undefined : `parts of src import one another in a ring: ${ring}`,
  ].filter((problem) => problem !== undefined)
}

const readSources = (): Sources => {
  const src = fileURLToPath(new URL('../../src/', import.meta.url))
  const paths = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
  return new Map(paths.map((path) => [path, readFileSync(`${src}${path}`, 'utf8')]))
}

test('every part of src imports only what its row in the table allows', () => {
  const sources = readSources()
  expect(sources.size).toBeGreaterThan(10)
  expect(problemsIn(sources)).toEqual([])
})

test('only the isolation registry knows which adapters there are', () => {
  const importers = [...readSources()]
    .flatMap(([path, text]) => importsOf(path, text))
    .filter(isRelative)
    .map((used) => ({ from: used.from, target: targetOf(used) }))
    .filter(
      ({ from, target }) => /^isolation\/\w+\/index\.ts$/.test(target) && posix.dirname(from) !== posix.dirname(target),
    )
    .map(({ from }) => from)
  expect([...new Set(importers)]).toEqual(['isolation/registry.ts'])
})

describe('the table is kept', () => {
  const one = (path: string, text: string) => problemsIn(new Map([[path, text]]))

  test.each([
    ['router/a.ts', "import { wake } from '../supervisor/supervisor.ts'", 'router may import only'],
    ['router/a.ts', "import {\n  wake,\n} from '../supervisor/supervisor.ts'", 'router may import only'],
    ['router/a.ts', "const x = 1\nexport { wake } from '../supervisor/supervisor.ts'", 'router may import only'],
    ['router/a.ts', "export * from '../supervisor/supervisor.ts'", 'router may import only'],
    ['router/a.ts', "const { wake } = await import('../supervisor/supervisor.ts')", 'router may import only'],
    ['router/a.ts', "import '../supervisor/supervisor.ts'", 'router may import only'],
    ['supervisor/a.ts', "import { wake } from '../router/wake.ts'", 'for more than its types'],
    ['supervisor/a.ts', "import { type Wake } from '../router/wake.ts'", 'for more than its types'],
    ['launcher/a.ts', "import { z } from 'zod'", 'the package zod'],
    ['launcher/a.ts', "import koffi from 'koffi'", 'only launcher/libc.ts'],
    ['state/a.ts', "import x from '@photostructure/other/sub'", 'the package @photostructure/other'],
    ['state/a.ts', "import x from '../../scripts/a.ts'", 'outside of src'],
    ['elsewhere/a.ts', '', 'src/elsewhere has no row'],
  ])('in %s, %j is refused', (path, text, problem) => {
    expect(one(path, text)).toEqual([expect.stringContaining(problem)])
  })

  test.each([
    ['router/a.ts', "import { createServer } from 'node:http'\nimport { Pool } from 'undici'"],
    ['supervisor/a.ts', "import type { Wake } from '../router/wake.ts'"],
    ['isolation/none/a.ts', "import { x } from '../reach.ts'"],
    ['launcher/libc.ts', "import koffi from 'koffi'"],
    ['router/a.ts', "// import { x } from '../supervisor/x.ts'\nexport const text = `from '../supervisor/x.ts'`"],
  ])('in %s, %j is allowed', (path, text) => {
    expect(one(path, text)).toEqual([])
  })

  test('a ring of parts is named, types included', () => {
    const ring = new Map([
      ['supervisor/a.ts', "import type { Wake } from '../router/wake.ts'"],
      ['router/wake.ts', "import type { Phase } from '../control/operations.ts'"],
      ['control/operations.ts', "import type { X } from '../supervisor/a.ts'"],
    ])
    expect(problemsIn(ring).join('\n')).toContain('ring: supervisor → router → control → supervisor')
  })
})
