// What a route of the control API is: what it takes, what it answers with, and what it is given to do that. Types alone.
import type { Decoder } from './decode.ts'
import type { Events, Followed } from './events.ts'
import type { ReadLogs } from './logs.ts'
import type { Operations } from './operations.ts'
import type { LogLine, ServerStatus } from './wire.ts'

/** What the routes need of the rest of tenement. */
export interface Backend {
  readonly operations: Operations
  readonly readLogs: ReadLogs
  readonly serverStatus: () => ServerStatus
  /** In Prometheus' text format. */
  readonly metrics: () => Promise<string>
  readonly events: Pick<Events, 'follow'>
}

/** A request that matched a route. */
export interface Call {
  /** What stood in the path where the route has '{service}' and '{id}', not yet checked. */
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: unknown
  /** The id of the event that a follower was told last. */
  readonly lastEventId: string | undefined
  /** Aborts when the client leaves. */
  readonly gone: AbortSignal
}

/** A JSON document, a text, or lines or events that are sent one by one as they come. */
export type Answer =
  | { readonly status: 200 | 201; readonly json: unknown }
  | { readonly status: 200; readonly text: string; readonly type: string }
  | { readonly status: 200; readonly lines: AsyncIterable<LogLine> }
  | { readonly status: 200; readonly followed: Followed }

/** How a good answer looks. */
export interface AnswerForm {
  readonly status: 200 | 201
  readonly type: string
  /** Of the document, or of each line or event where it is sent in pieces; undefined for what is no JSON. */
  readonly shape: Decoder<unknown> | undefined
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path segments; '{service}' and '{id}' stand for one name each. */
  readonly path: string
  readonly summary: string
  /** The query parameters it takes; any other is refused, as a misspelt one must not be taken for its absence. */
  readonly query: readonly string[]
  readonly takesBody: boolean
  readonly answers: AnswerForm
  readonly handle: (call: Call, backend: Backend) => Answer | Promise<Answer>
}
