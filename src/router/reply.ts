// Writes an instance's answer to the client. The surprising part is the first write: text that is latin1, because Node sends
// a head in latin1 in front of such text but in UTF-8 from flushHeaders(), which would encode high bytes twice; and because
// head and text then leave as one piece, with one call of the kernel. For that the head waits for bytes that came with it.
// It does not know where the answer comes from, and never repairs one that has begun.
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { responseHeaders, trailers } from './headers.ts'
import { eachHeader, type RawHeaders, valuesOf } from './rawHeaders.ts'

/** An instance that speaks something else than HTTP. */
export class ProtocolFault extends Error {
  override readonly name = 'ProtocolFault'
}

export interface Reply {
  /** Passes on a 1xx head. */
  inform(status: number, raw: RawHeaders): void
  /** Passes on the final head, in this turn of the event loop, with tenement's `own` headers. Throws a ProtocolFault when it cannot be passed on as it is. */
  begin(status: number, phrase: string, raw: RawHeaders, own: RawHeaders): void
  /** False when the client has to catch up: wait for 'drain' on the response. */
  write(chunk: Buffer): boolean
  end(raw: RawHeaders): void
}

/** More than any application sends; an endless row of them would pile up behind a slow reader. */
const maxInformational = 16
/** What is not passed on costs time all the same, until response_timeout; this many no confused program sends. */
const floodOfInformational = 1_000

/** Copied as text once more, which is cheaper than a second piece for the kernel. */
const mostWithHead = 4_096

/** `onLate` is called when a head that was held, and what came with it, have been written. */
export const replyTo = (req: IncomingMessage, res: ServerResponse, onLate: () => void): Reply => {
  let informed = 0
  let isHeadHeld = false
  let isEnded = false
  let held: Buffer | undefined
  const release = (): void => {
    if (!isHeadHeld) return
    isHeadHeld = false
    sendTogether(res, held?.toString('latin1') ?? '')
    held = undefined
    if (isEnded) res.end()
    onLate()
  }
  return {
    inform: (status, raw) => {
      informed += 1
      if (informed > floodOfInformational) throw new ProtocolFault('the instance sends no end of informational heads')
      // RFC 9110 section 15.2: an HTTP/1.0 client does not know them.
      if (req.httpVersion === '1.0' || informed > maxInformational) return
      if (status === 103) sendEarlyHints(res, raw)
      if (status === 102) res.writeProcessing()
    },
    begin: (status, phrase, raw, own) => {
      const headers = [...readFinalHead(req, status, raw), ...own]
      try {
        res.writeHead(status, isPlain(phrase) ? phrase : (STATUS_CODES[status] ?? ''), headers)
      } catch (error) {
        throw new ProtocolFault('the response head cannot be passed on', { cause: error })
      }
      if (isBodiless(req, status)) return
      isHeadHeld = true
      // After all that has come in this turn: answers that leave one after the other wake whoever waits for them once, not each time.
      setImmediate(release)
    },
    write: (chunk) => {
      // undici's parser says that nothing has come whenever it goes on after a pause; to write that would be a call of the kernel.
      if (chunk.length === 0) return true
      if (isHeadHeld && held === undefined && chunk.length <= mostWithHead) {
        held = chunk
        return true
      }
      release()
      return res.write(chunk)
    },
    end: (raw) => {
      const last = trailers(raw)
      if (last.length > 0) res.addTrailers(pairsOf(last))
      isEnded = true
      if (!isHeadHeld) res.end()
    },
  }
}

/** Head and text as one piece: Node would hold it back until the next tick, and add an empty one that says that it was the last. */
const sendTogether = (res: ServerResponse, text: string): void => {
  res.cork()
  res.write(text, 'latin1')
  res.uncork()
}

const isPlain = (phrase: string): boolean => /^[\t\x20-\x7e]*$/.test(phrase)

const isBodiless = (req: IncomingMessage, status: number): boolean =>
  req.method === 'HEAD' || status === 204 || status === 304

const readFinalHead = (req: IncomingMessage, status: number, raw: RawHeaders): string[] => {
  const codings = valuesOf(raw, 'transfer-encoding')
  if (codings.length > 1 || (codings[0] ?? 'chunked').toLowerCase() !== 'chunked') {
    throw new ProtocolFault(`the response has the transfer coding "${codings.join(', ')}"`)
  }
  const isChunked = codings.length > 0 || valuesOf(raw, 'content-length').length === 0
  return responseHeaders(raw, { status, canTrail: isChunked && req.httpVersion === '1.1' && !isBodiless(req, status) })
}

const sendEarlyHints = (res: ServerResponse, raw: RawHeaders): void => {
  const hints: Record<string, string | string[]> = {}
  eachHeader(responseHeaders(raw, { status: 103, canTrail: false }), (name, value) => {
    const earlier = hints[name]
    hints[name] = earlier === undefined ? value : `${earlier}, ${value}`
  })
  try {
    res.writeEarlyHints(hints)
  } catch {
    // Node sends well-formed Link headers only. A hint may be lost without harm; the final head is still to come.
  }
}

const pairsOf = (raw: RawHeaders): [string, string][] => {
  const pairs: [string, string][] = []
  eachHeader(raw, (_name, value, written) => pairs.push([written, value]))
  return pairs
}
