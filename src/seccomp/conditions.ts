// Conditions on the arguments of a call. Arguments are compared as the kernel's filter sees them: unsigned, all 64 bits, also
// where the call itself reads only the low 32 (seccomp(2)); that is why a refusal of one value wants MASKED_EQ. Pure.

export type Operator = 'NE' | 'LT' | 'LE' | 'EQ' | 'GE' | 'GT' | 'MASKED_EQ'

export interface Condition {
  /** Which argument, 0 to 5. */
  readonly index: number
  readonly operator: Operator
  readonly value: bigint
  /** The bits that MASKED_EQ looks at; all of them for the others. */
  readonly mask: bigint
}

export const allBits = 0xffff_ffff_ffff_ffffn

const tests: Readonly<Record<Operator, (argument: bigint, { value, mask }: Condition) => boolean>> = {
  NE: (argument, { value }) => argument !== value,
  LT: (argument, { value }) => argument < value,
  LE: (argument, { value }) => argument <= value,
  EQ: (argument, { value }) => argument === value,
  GE: (argument, { value }) => argument >= value,
  GT: (argument, { value }) => argument > value,
  MASKED_EQ: (argument, { value, mask }) => (argument & mask) === value,
}

export const isMet = (condition: Condition, argument: bigint): boolean => tests[condition.operator](argument, condition)

/** All arguments that have these values in these bits. */
interface Cube {
  readonly mask: bigint
  readonly value: bigint
}

/** The values from first to last, as blocks of a power of two each: at most 128. */
const blocksBetween = (first: bigint, last: bigint): readonly Cube[] => {
  const blocks: Cube[] = []
  for (let at = first; at <= last; ) {
    let size = 1n
    while ((at & (size * 2n - 1n)) === 0n && at + size * 2n - 1n <= last && size * 2n <= allBits + 1n) size *= 2n
    blocks.push({ mask: allBits - (size - 1n), value: at })
    at += size
  }
  return blocks
}

const cubes: Readonly<Record<Operator, (condition: Condition) => readonly Cube[]>> = {
  NE: ({ value }) => [...blocksBetween(0n, value - 1n), ...blocksBetween(value + 1n, allBits)],
  LT: ({ value }) => blocksBetween(0n, value - 1n),
  LE: ({ value }) => blocksBetween(0n, value),
  EQ: ({ value }) => [{ mask: allBits, value }],
  GE: ({ value }) => blocksBetween(value, allBits),
  GT: ({ value }) => blocksBetween(value + 1n, allBits),
  MASKED_EQ: ({ mask, value }) => ((value & mask) === value ? [{ mask, value }] : []),
}

/** An argument that meets the condition, or undefined when none does. */
export const witnessOf = (condition: Condition): bigint | undefined => cubes[condition.operator](condition)[0]?.value

/** An argument that meets both conditions, or undefined when none does. */
const commonArgument = (a: Condition, b: Condition): bigint | undefined => {
  if (a.operator === 'EQ') return isMet(b, a.value) ? a.value : undefined
  if (b.operator === 'EQ') return isMet(a, b.value) ? b.value : undefined
  const ofB = cubes[b.operator](b)
  for (const one of cubes[a.operator](a)) {
    const both = ofB.find((other) => ((one.value ^ other.value) & one.mask & other.mask) === 0n)
    if (both !== undefined) return one.value | both.value
  }
  return undefined
}

/** The arguments of a call that meets two sets of conditions at once, or undefined when none does. */
export const commonArguments = (
  a: readonly Condition[],
  b: readonly Condition[],
): ReadonlyMap<number, bigint> | undefined => {
  const found = new Map<number, bigint>()
  for (const condition of [...a, ...b]) {
    const other = (a.includes(condition) ? b : a).find(({ index }) => index === condition.index)
    const argument = other ? commonArgument(condition, other) : witnessOf(condition)
    if (argument === undefined) return undefined
    found.set(condition.index, argument)
  }
  return found
}

const signs: Readonly<Record<Exclude<Operator, 'MASKED_EQ'>, string>> = {
  NE: '≠',
  LT: '<',
  LE: '≤',
  EQ: '=',
  GE: '≥',
  GT: '>',
}

const written = (value: bigint): string => (value < 10n ? `${value}` : `0x${value.toString(16)}`)

/** 'arg0 = 1', 'arg1 & 0xf = 2' */
export const describeCondition = ({ index, operator, value, mask }: Condition): string =>
  operator === 'MASKED_EQ'
    ? `arg${index} & ${written(mask)} = ${written(value)}`
    : `arg${index} ${signs[operator]} ${written(value)}`
