// Turns `unknown` into a value of a known shape, or throws with the path of what is wrong. The command line reads what
// the server says through this: zod would cost every command 40 ms, which is a fifth of what it may take.
// Each decoder carries its shape as a JSON Schema, so that what is read and what is published cannot differ.
// It knows no shape of its own; those stand in wire.ts. Members it was not told of are left out.

/** Of JSON Schema 2020-12, as far as these decoders need it. */
export type JsonSchema = Readonly<Record<string, unknown>>

export interface Decoder<T> {
  /** Returns the value in its type; throws an Error naming `at` when it is something else. */
  (value: unknown, at: string): T
  readonly schema: JsonSchema
}

const decoder = <T>(schema: JsonSchema, decode: (value: unknown, at: string) => T): Decoder<T> =>
  Object.assign(decode, { schema })

const fail = (expected: string, at: string): never => {
  throw new Error(`${at} is not ${expected}`)
}

export const text: Decoder<string> = decoder({ type: 'string' }, (value, at) =>
  typeof value === 'string' ? value : fail('a string', at),
)

export const number: Decoder<number> = decoder({ type: 'number' }, (value, at) =>
  typeof value === 'number' && Number.isFinite(value) ? value : fail('a number', at),
)

export const flag: Decoder<boolean> = decoder({ type: 'boolean' }, (value, at) =>
  typeof value === 'boolean' ? value : fail('true or false', at),
)

export const nullable = <T>(inner: Decoder<T>): Decoder<T | null> =>
  decoder({ anyOf: [inner.schema, { type: 'null' }] }, (value, at) => (value === null ? null : inner(value, at)))

export const list = <T>(inner: Decoder<T>): Decoder<readonly T[]> =>
  decoder({ type: 'array', items: inner.schema }, (value, at) =>
    Array.isArray(value) ? value.map((item, index) => inner(item, `${at}[${index}]`)) : fail('a list', at),
  )

export const record = <T>(inner: Decoder<T>): Decoder<Readonly<Record<string, T>>> =>
  decoder({ type: 'object', additionalProperties: inner.schema }, (value, at) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item, `${at}.${key}`)]))
      : fail('an object', at),
  )

export const oneOf = <T extends string>(allowed: readonly T[]): Decoder<T> =>
  decoder(
    { type: 'string', enum: allowed },
    (value, at) => allowed.find((item) => item === value) ?? fail(`one of ${allowed.join(', ')}`, at),
  )

/** Any object, its members unread. */
export const document: Decoder<Readonly<Record<string, unknown>>> = decoder({ type: 'object' }, (value, at) =>
  isRecord(value) ? value : fail('an object', at),
)

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isWhole = <T>(decoded: Partial<T>, members: object): decoded is T =>
  Object.keys(members).every((key) => Object.hasOwn(decoded, key))

type Members<T> = { readonly [K in keyof T]: Decoder<T[K]> }

const schemasOf = <T>(members: Members<T>): JsonSchema =>
  Object.fromEntries(Object.entries<Decoder<unknown>>(members).map(([key, { schema }]) => [key, schema]))

export const object = <T>(members: Members<T>): Decoder<T> =>
  decoder({ type: 'object', properties: schemasOf(members), required: Object.keys(members) }, (value, at) => {
    if (!isRecord(value)) return fail('an object', at)
    const decoded: Partial<T> = {}
    for (const key in members) decoded[key] = members[key](value[key], `${at}.${key}`)
    return isWhole<T>(decoded, members) ? decoded : fail('whole', at)
  })
