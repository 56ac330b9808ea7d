// JSON whose whole numbers keep all their digits: a mask such as 18446744069414584320 is past what a JavaScript number holds,
// and a mask that lost its lowest bits would let calls through that it names. Pure.

const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const mark = 'whole number '

/** Whole numbers of more than 15 digits become bigints; throws SyntaxError as JSON.parse does. */
export const parseJson = (text: string): unknown => {
  // Once as it stands, so that a mistake is told at its own place.
  JSON.parse(text)
  const kept = text.replace(tokens, (token) => (/^\d{16,}$/.test(token) ? `"${mark}${token}"` : token))
  return JSON.parse(kept, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(mark) && /^\d+$/.test(value.slice(mark.length))
      ? BigInt(value.slice(mark.length))
      : value,
  )
}

/** What parseJson read, written again with all digits. */
export const writeJson = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${mark}${each}` : each), 2).replace(
    new RegExp(`"${mark}(\\d+)"`, 'g'),
    '$1',
  )
