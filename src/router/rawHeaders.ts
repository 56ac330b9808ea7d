// Header lists as they were on the wire: name, value, name, value, with case, order and repetitions kept.
// Node's joined `headers` object hides what matters here: a second Host, a repeated Content-Length, several cookies.

export type RawHeaders = readonly string[]

/** Calls `visit` with the lower-case name, the value and the name as it was written, in order. */
export const eachHeader = (raw: RawHeaders, visit: (name: string, value: string, written: string) => void): void => {
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const written = raw[at] ?? ''
    visit(written.toLowerCase(), raw[at + 1] ?? '', written)
  }
}

/** Every value of a header, in order; `name` is lower case. */
export const valuesOf = (raw: RawHeaders, name: string): string[] => {
  const values: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const written = raw[at] ?? ''
    // Most names have another length: that is seen without making a second one in lower case.
    if (written.length === name.length && written.toLowerCase() === name) values.push(raw[at + 1] ?? '')
  }
  return values
}

/** The members of a comma-separated header, in lower case, over all its lines (RFC 9110 section 5.6.1). */
export const tokensOf = (raw: RawHeaders, name: string): string[] =>
  valuesOf(raw, name)
    .flatMap((value) => value.split(','))
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '')

/** The headers `keep` says yes to, as they were written. */
export const filterHeaders = (raw: RawHeaders, keep: (name: string, value: string) => boolean): string[] => {
  const kept: string[] = []
  eachHeader(raw, (name, value, written) => {
    if (keep(name, value)) kept.push(written, value)
  })
  return kept
}

/** A head in bytes, the empty line included; headers are latin1 (RFC 9110 section 5.5). */
export const writeHead = (firstLine: string, raw: RawHeaders): Buffer => {
  const lines = [firstLine]
  eachHeader(raw, (_name, value, written) => lines.push(`${written}: ${value}`))
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}
