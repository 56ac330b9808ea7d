// Turns `unknown` into a value of a known shape, or throws with the path of what is wrong. The command line reads what
// the server says through this: zod would cost every command 40 ms, which is a fifth of what it may take.
// It knows no shape of its own; those stand in wire.ts. Members it was not told of are left out.

/** Returns the value in its type; throws an Error naming `at` when it is something else. */
export type Decoder<T> = (value: unknown, at: string) => T

const fail = (expected: string, at: string): never => {
  throw new Error(`${at} is not ${expected}`)
}

export const text: Decoder<string> = (value, at) => (typeof value === 'string' ? value : fail('a string', at))

export const number: Decoder<number> = (value, at) =>
  typeof value === 'number' && Number.isFinite(value) ? value : fail('a number', at)

export const flag: Decoder<boolean> = (value, at) => (typeof value === 'boolean' ? value : fail('true or false', at))

export const nullable =
  <T>(inner: Decoder<T>): Decoder<T | null> =>
  (value, at) =>
    value === null ? null : inner(value, at)

export const list =
  <T>(inner: Decoder<T>): Decoder<readonly T[]> =>
  (value, at) =>
    Array.isArray(value) ? value.map((item, index) => inner(item, `${at}[${index}]`)) : fail('a list', at)

export const record =
  <T>(inner: Decoder<T>): Decoder<Readonly<Record<string, T>>> =>
  (value, at) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, inner(item, `${at}.${key}`)]))
      : fail('an object', at)

export const oneOf =
  <T extends string>(allowed: readonly T[]): Decoder<T> =>
  (value, at) =>
    allowed.find((item) => item === value) ?? fail(`one of ${allowed.join(', ')}`, at)

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isWhole = <T>(decoded: Partial<T>, members: object): decoded is T =>
  Object.keys(members).every((key) => Object.hasOwn(decoded, key))

export const object =
  <T>(members: { readonly [K in keyof T]: Decoder<T[K]> }): Decoder<T> =>
  (value, at) => {
    if (!isRecord(value)) return fail('an object', at)
    const decoded: Partial<T> = {}
    for (const key in members) decoded[key] = members[key](value[key], `${at}.${key}`)
    return isWhole<T>(decoded, members) ? decoded : fail('whole', at)
  }
