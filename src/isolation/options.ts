// How an adapter says which options [service.X.options] may hold. The interface is that of Standard Schema
// (standardschema.dev, version 1), so that a plugin can hand over a schema of zod, valibot or arktype as it is; the adapters
// that come with tenement write theirs with `flags`. It does not know where in a file a problem is told.
import { TenementError } from '../errors.ts'

export interface OptionsSchema<Options = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => OptionsResult<Options> | Promise<OptionsResult<Options>>
  }
}

export type OptionsResult<Options> =
  | { readonly value: Options; readonly issues?: undefined }
  | { readonly issues: readonly OptionIssue[] }

export interface OptionIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
  /** What could have been written there instead; an addition of tenement's, from which it makes a suggestion. */
  readonly expected?: readonly string[]
}

type Table = Readonly<Record<string, unknown>>

/** What an adapter without options takes: an empty table. */
const noOptions: OptionsSchema = {
  '~standard': {
    version: 1,
    vendor: 'tenement',
    validate: (value) => {
      const issues = Object.keys(asTable(value)).map((name) => ({
        message: 'is no option',
        path: [name],
        expected: [],
      }))
      return issues.length > 0 ? { issues } : { value: {} }
    },
  },
}

const asTable = (value: unknown): Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Table) : {}

/** Options that are true or false, each with what it is where nothing is written. */
export const flags = <Name extends string>(
  defaults: Readonly<Record<Name, boolean>>,
): OptionsSchema<Readonly<Record<Name, boolean>>> => ({
  '~standard': {
    version: 1,
    vendor: 'tenement',
    validate: (value) => {
      const issues = Object.entries(asTable(value)).flatMap((entry) => issueOf(entry, Object.keys(defaults)))
      return issues.length > 0 ? { issues } : { value: { ...defaults, ...asTable(value) } }
    },
  },
})

const issueOf = ([name, value]: readonly [string, unknown], names: readonly string[]): readonly OptionIssue[] => {
  if (!names.includes(name)) return [{ message: 'is no option', path: [name], expected: names }]
  return typeof value === 'boolean' ? [] : [{ message: 'must be true or false', path: [name] }]
}

/** What is wrong with a service's options; empty when they can be read. */
export const optionIssues = async (
  schema: OptionsSchema | undefined,
  written: Table,
): Promise<readonly OptionIssue[]> => (await (schema ?? noOptions)['~standard'].validate(written)).issues ?? []

/** The options as the adapter wants them, what was not written filled in. Rejects with 'invalid_config' for options `check` would refuse. */
export const readOptions = async (schema: OptionsSchema | undefined, written: Table): Promise<unknown> => {
  const result = await (schema ?? noOptions)['~standard'].validate(written)
  if (result.issues === undefined) return result.value
  const [first] = result.issues
  throw new TenementError('invalid_config', `the options of the isolation adapter cannot be used: ${first?.message}`)
}
