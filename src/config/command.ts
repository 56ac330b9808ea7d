// Splits a command into arguments by the quoting rules of a POSIX shell (XCU section 2.2), without a shell.
// What only a shell could do is refused, never passed on as text: whoever writes `|` means a pipe.
// Templates are not its business: they are filled per argument afterwards, so that an id can never become two arguments.

/** The arguments, or the second half of a sentence about what was written. */
export type SplitCommand = { readonly argv: readonly string[] } | { readonly problem: string; readonly fix: string }

const special = new Set(['|', '>', '<', '&', ';', '`', '$', '(', ')', '\n', '\r'])
const useShell = 'quote the character, write command as a list, or name the shell: command = ["sh", "-c", "…"]'

export const splitCommand = (text: string): SplitCommand => {
  const argv: string[] = []
  let current: string | undefined
  let at = 0
  while (at < text.length) {
    const character = text.charAt(at)
    const quoted = character === "'" ? readSingle(text, at) : character === '"' ? readDouble(text, at) : undefined
    if (quoted !== undefined) {
      if ('problem' in quoted) return quoted
      current = (current ?? '') + quoted.value
      at = quoted.end
    } else if (character === '\\') {
      if (at + 1 === text.length)
        return { problem: 'ends with a backslash that escapes nothing', fix: 'remove it or double it' }
      current = (current ?? '') + text.charAt(at + 1)
      at += 2
    } else if (character === ' ' || character === '\t') {
      if (current !== undefined) argv.push(current)
      current = undefined
      at += 1
    } else if (special.has(character)) {
      return {
        problem: `holds ${JSON.stringify(character)}, which needs a shell, and no shell is involved`,
        fix: useShell,
      }
    } else {
      current = (current ?? '') + character
      at += 1
    }
  }
  if (current !== undefined) argv.push(current)
  return { argv }
}

type Quoted = { readonly value: string; readonly end: number } | { readonly problem: string; readonly fix: string }

const readSingle = (text: string, start: number): Quoted => {
  const end = text.indexOf("'", start + 1)
  if (end < 0) return unterminated("'")
  return { value: text.slice(start + 1, end), end: end + 1 }
}

// Inside double quotes a shell still expands $ and `, so they are refused there as well.
const readDouble = (text: string, start: number): Quoted => {
  let value = ''
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '"') return { value, end: at + 1 }
    if (character === '$' || character === '`') {
      return {
        problem: `holds ${JSON.stringify(character)}, which needs a shell, and no shell is involved`,
        fix: useShell,
      }
    }
    const next = text.charAt(at + 1)
    const escapes = character === '\\' && next !== '' && '$`"\\'.includes(next)
    value += escapes ? next : character
    if (escapes) at += 1
  }
  return unterminated('"')
}

const unterminated = (quote: string): Quoted => ({
  problem: `opens a ${quote} that nothing closes`,
  fix: `close the ${quote}, or escape it with a backslash`,
})
