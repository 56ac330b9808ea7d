// Finds the line of a key, because the TOML parser gives no positions for what it could read. Only for text it has accepted.
// The one surprising thing: it reads no values, it only skips them, so it must know where each kind of value ends.
import type { KeyPath } from './problem.ts'

/** A place in a text; both count from 1. */
interface Position {
  readonly line: number
  readonly column: number
}

/** Where the key stands, or the nearest table around it that is written in the file; undefined when nothing of it is. */
export type Locate = (path: KeyPath) => Position | undefined

/** Reads the whole text once; the function it returns only looks up. */
export const locatorOf = (text: string): Locate => {
  const offsets = new Scanner(text).scan()
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)]
  return (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const offset = offsets.get(keyOf(path.slice(0, length)))
      if (offset !== undefined) return positionAt(lineStarts, offset)
    }
    return undefined
  }
}

const keyOf = (path: KeyPath): string => JSON.stringify(path)

const positionAt = (lineStarts: readonly number[], offset: number): Position => {
  let [low, high] = [0, lineStarts.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((lineStarts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 }
}

/** How many parts of a path are told apart. Nothing in a config lies deeper. */
// Paths grow as they are followed, so without a bound "a.a.a…" would cost the square of its length.
export const deepest = 16

interface Key {
  readonly name: string
  readonly offset: number
}

class Scanner {
  readonly #text: string
  #at = 0
  readonly #offsets = new Map<string, number>()
  /** Tables only mentioned on the way to another: `[a]` itself, when it comes later, is the better place. */
  readonly #implicit = new Set<string>()
  /** How many tables each array of tables has so far. */
  readonly #arrays = new Map<string, number>()

  constructor(text: string) {
    this.#text = text
  }

  scan(): ReadonlyMap<string, number> {
    let table: KeyPath = []
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#text[this.#at] === '[') table = this.#readHeader()
      else this.#readPair(table)
    }
    return this.#offsets
  }

  #readHeader(): KeyPath {
    const isArray = this.#text.startsWith('[[', this.#at)
    this.#at += isArray ? 2 : 1
    const keys = this.#readKeys()
    this.#at += isArray ? 2 : 1
    const path = this.#place([], keys)
    if (!isArray) return path
    const count = this.#arrays.get(keyOf(path)) ?? 0
    this.#arrays.set(keyOf(path), count + 1)
    const element = [...path, count]
    this.#offsets.set(keyOf(element), keys.at(-1)?.offset ?? this.#at)
    return element
  }

  #readPair(table: KeyPath): void {
    const path = this.#place(table, this.#readKeys())
    this.#at += 1
    this.#skipValue(path)
  }

  /** Notes where each part of a dotted key stands, and returns the path it leads to. */
  #place(table: KeyPath, keys: readonly Key[]): KeyPath {
    let path = table
    for (const [index, { name, offset }] of keys.slice(0, deepest).entries()) {
      path = [...path, name]
      const key = keyOf(path)
      const isLast = index === keys.length - 1
      if (!this.#offsets.has(key) || (isLast && this.#implicit.delete(key))) this.#offsets.set(key, offset)
      if (isLast) break
      if (this.#offsets.get(key) === offset) this.#implicit.add(key)
      const count = this.#arrays.get(key)
      if (count !== undefined) path = [...path, count - 1]
    }
    return path
  }

  /** Reads `a.b."c d"` and stops behind it, before `=` or `]`. */
  #readKeys(): readonly Key[] {
    const keys: Key[] = []
    do {
      if (keys.length > 0) this.#at += 1
      this.#skipSpaces()
      keys.push({ offset: this.#at, name: this.#readKey() })
      this.#skipSpaces()
    } while (this.#text[this.#at] === '.')
    return keys
  }

  #readKey(): string {
    const start = this.#at
    const first = this.#text[this.#at]
    if (first === '"' || first === "'") {
      this.#skipString()
      const inner = this.#text.slice(start + 1, this.#at - 1)
      return first === "'" ? inner : unescapeKey(inner)
    }
    this.#skipWhile(/[^\s.=\]"'#]/)
    if (this.#at === start) throw new RangeError(`no key at offset ${start}`)
    return this.#text.slice(start, this.#at)
  }

  #skipValue(path: KeyPath): void {
    this.#skipBlank()
    const first = this.#text[this.#at]
    if (first === '"' || first === "'") this.#skipString()
    else if (first === '[') this.#skipItems(']', (index) => this.#skipElement([...path, index]))
    else if (first === '{') this.#skipItems('}', () => this.#readPair(path))
    else this.#skipWhile(/[^,\]}#\n]/)
  }

  #skipElement(path: KeyPath): void {
    if (path.length <= deepest) this.#offsets.set(keyOf(path), this.#at)
    this.#skipValue(path.slice(0, deepest + 1))
  }

  #skipItems(close: string, skipItem: (index: number) => void): void {
    this.#at += 1
    this.#skipBlank()
    for (let index = 0; this.#at < this.#text.length && this.#text[this.#at] !== close; index += 1) {
      skipItem(index)
      this.#skipBlank()
      if (this.#text[this.#at] === ',') this.#at += 1
      this.#skipBlank()
    }
    this.#at += 1
  }

  /** Any of the four kinds of string. A multi-line one may end in up to two quotes of its own before the closing three. */
  #skipString(): void {
    const quote = this.#text.charAt(this.#at)
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at)
    const close = isLong ? quote.repeat(3) : quote
    this.#at += close.length
    while (this.#at < this.#text.length && !this.#text.startsWith(close, this.#at)) {
      this.#at += quote === '"' && this.#text[this.#at] === '\\' ? 2 : 1
    }
    this.#at += close.length
    while (isLong && this.#text[this.#at] === quote) this.#at += 1
  }

  #skipSpaces(): void {
    this.#skipWhile(/[ \t]/)
  }

  #skipBlank(): void {
    for (;;) {
      this.#skipWhile(/\s/)
      if (this.#text[this.#at] !== '#') return
      this.#skipWhile(/[^\n]/)
    }
  }

  #skipWhile(characters: RegExp): void {
    while (this.#at < this.#text.length && characters.test(this.#text.charAt(this.#at))) this.#at += 1
  }
}

const shortEscapes: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\u001b',
  '"': '"',
  '\\': '\\',
}

const unescapeKey = (inner: string): string =>
  inner.replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))/g, (_, short, long, byte, letter) => {
    const digits: string | undefined = short ?? long ?? byte
    return digits === undefined ? (shortEscapes[letter] ?? letter) : String.fromCodePoint(Number.parseInt(digits, 16))
  })
