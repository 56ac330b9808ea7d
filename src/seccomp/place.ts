// A value somewhere in a profile, with the name of its place, so that every mistake is told where it stands. Each question
// returns what it asks for or throws the one error that says what stands there instead. Knows nothing of system calls.
import { TenementError } from '../errors.ts'

export class Place {
  readonly value: unknown
  readonly #file: string
  readonly #name: string

  constructor(file: string, name: string, value: unknown) {
    this.value = value
    this.#file = file
    this.#name = name
  }

  get name(): string {
    return this.#name
  }

  get isAbsent(): boolean {
    return this.value === undefined || this.value === null
  }

  /** An error about this place; what follows reads on from its name. */
  problem(what: string, fix: string): TenementError {
    return new TenementError('invalid_profile', `${this.#file}: ${this.#name} ${what}`, { fix })
  }

  /** The fields of an object. Null and absent count as an object without any, as other readers of these files have it. */
  fields(known: readonly string[]): Fields {
    if (this.isAbsent) return this.#emptyFields(known)
    const { value } = this
    if (!isObject(value)) throw this.problem(`is ${kindOf(value)}`, 'make it an object: { … }')
    const strange = Object.keys(value).find((key) => !known.includes(key) && !isComment(key))
    if (strange !== undefined) {
      throw this.problem(
        `has the key "${strange}", which means nothing there`,
        `keys are ${known.join(', ')}; begin it with // if it is a comment`,
      )
    }
    return Object.fromEntries(
      known.map((key) => [key, this.#below(key, Object.hasOwn(value, key) ? value[key] : undefined)]),
    )
  }

  #emptyFields(known: readonly string[]): Fields {
    return Object.fromEntries(known.map((key) => [key, this.#below(key, undefined)]))
  }

  /** The parts of a list; none where it is null or absent. */
  items(): readonly Place[] {
    if (this.isAbsent) return []
    if (!Array.isArray(this.value)) throw this.problem(`is ${kindOf(this.value)}`, 'make it a list: [ … ]')
    return this.value.map((item: unknown, index) => new Place(this.#file, `${this.#name}[${index}]`, item))
  }

  text(): string {
    if (typeof this.value === 'string') return this.value
    throw this.problem(`is ${kindOf(this.value)}`, 'make it a text: "…"')
  }

  flag(): boolean {
    if (this.isAbsent) return false
    if (typeof this.value === 'boolean') return this.value
    throw this.problem(`is ${kindOf(this.value)}`, 'make it true or false')
  }

  /** A whole number between 0 and `greatest`. */
  whole(greatest: bigint): bigint {
    const { value } = this
    const number = typeof value === 'bigint' ? value : Number.isSafeInteger(value) ? BigInt(Number(value)) : undefined
    if (number !== undefined && number >= 0n && number <= greatest) return number
    throw this.problem(
      `is ${typeof value === 'number' ? value : kindOf(value)}`,
      `make it a whole number from 0 to ${greatest}`,
    )
  }

  /** The value that `table` has for the text here. */
  oneOf<Value>(table: Readonly<Record<string, Value>>): Value {
    const word = this.text()
    const found = Object.hasOwn(table, word) ? table[word] : undefined
    if (found !== undefined) return found
    throw this.problem(`is "${word}"`, `it may be ${Object.keys(table).join(', ')}`)
  }

  #below(key: string, value: unknown): Place {
    return new Place(this.#file, this.#name === 'the profile' ? key : `${this.#name}.${key}`, value)
  }
}

/** What `fields` returns: a place for every key that was asked for. */
export type Fields = Readonly<Record<string, Place>>

export const need = (fields: Fields, key: string): Place => {
  const place = fields[key]
  if (place === undefined) throw new TypeError(`"${key}" is not among the keys asked for`)
  return place
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Readers of OCI profiles pass over keys they do not know; these are the ones people write for one another. */
const isComment = (key: string): boolean => key.startsWith('//') || key.startsWith('$') || key.startsWith('comment')

const kindOf = (value: unknown): string => {
  if (value === undefined || value === null) return 'missing'
  if (Array.isArray(value)) return 'a list'
  return isObject(value)
    ? 'an object'
    : `${typeof value === 'string' ? 'the text ' : ''}${JSON.stringify(value, plain)}`
}

const plain = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value)
