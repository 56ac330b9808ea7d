// Every word tenement tells its users a cause by, with why it comes about and what to do: codes of errors, reasons that clients see
// in `x-tenement-reason`, and phases. What each means stands in the table it belongs to; the types hold this one to being whole.
import { type Phase, phases } from '../control/operations.ts'
import { type ErrorCode, errorCodes } from '../errors.ts'
import { entryOf, type Reason, reasons } from '../router/reasons.ts'

interface Advice {
  readonly why: string
  /** What to do, a step each; those that begin with "tenement" are commands. */
  readonly next: readonly string[]
}

export interface Explanation extends Advice {
  readonly code: string
  /** 'error', 'answer 503', 'phase' */
  readonly kind: string
  readonly means: string
}

const errors: Readonly<Record<ErrorCode, Advice>> = {
  invalid_config: {
    why: 'A key is unknown, has a value that is none of those it may have, or does not fit another one. Nothing was started.',
    next: ['tenement check', 'each problem names its line and key; "tenement config schema" is for editors'],
  },
  unreadable_config: {
    why: 'The file is not there, may not be read by who runs this, or is no UTF-8 text.',
    next: ['name it with --config or TENEMENT_CONFIG, or put tenement.toml into this folder'],
  },
  invalid_profile: {
    why: 'A file in the OCI seccomp form has a call, an action or a condition that no filter can be made of.',
    next: ['tenement seccomp compile FILE', 'mend what it names'],
  },
  missing_capability: {
    why: 'The service asks for something, such as a network of its own, that its isolation does not do or cannot do here.',
    next: ['tenement check', 'take the key out, or choose an isolation that has it: the message lists them'],
  },
  unknown_service: {
    why: 'The part before the colon is no [service.NAME] of the config that the running server has.',
    next: ['tenement ps', 'a service that was just written is known after a restart of "tenement serve"'],
  },
  unknown_instance: {
    why: 'It is neither in [instances] nor was it added, and its service is not open to any name.',
    next: ['tenement ps SERVICE', 'tenement add SERVICE:ID'],
  },
  already_exists: {
    why: 'An instance has one name, and this one is taken: by the config, or by an earlier "tenement add".',
    next: ['tenement status SERVICE:ID'],
  },
  invalid_name: {
    why: 'Names become host names and directories: lower-case letters, digits and inner hyphens, at most 63 characters.',
    next: ['write SERVICE:ID, such as api:carol'],
  },
  not_running: {
    why: 'The socket in run_dir is not there or nobody listens on it: no server, another config, or another user.',
    next: ['tenement serve', 'or name the config of the running one with --config'],
  },
  already_running: {
    why: 'Two servers on one run directory would each end what the other started.',
    next: ['tenement version', 'stop the other one, or give this one another run_dir'],
  },
  start_failed: {
    why: 'The program ended or did not listen before start_timeout, could not be executed, or was not confined as was planned.',
    next: ['tenement logs SERVICE:ID', 'tenement status SERVICE:ID', 'tenement check'],
  },
  launcher_refused: {
    why: 'The launcher holds the server to the config it began with, and this was outside of it.',
    next: [
      'restart "tenement serve" if the config was changed; else it is a fault in tenement: report it with the log',
    ],
  },
  state_unusable: {
    why: 'The database in state_dir cannot be opened or written: rights, a full disk, or a file that is something else.',
    next: ['look at what the message names; it is SQLite, and "sqlite3 FILE .dump" reads it'],
  },
  too_exposed: {
    why: 'The score of the service on this machine is above max_exposure: here less is kept than where it was written for.',
    next: ['tenement check --exposure', 'close the heaviest part, or raise max_exposure'],
  },
  unwritable_config: {
    why: 'There is a file of that name already, which is never overwritten, or its folder cannot be written to.',
    next: ['tenement check', 'tenement init --dry-run'],
  },
  unwritable_report: {
    why: 'The file of --html is in a folder that cannot be written, or is something that must not be replaced.',
    next: ['name a file in a folder of your own'],
  },
  unexplained_call: {
    why: 'Calls that faults of the kernel were found in are allowed without a "comment" that says what for.',
    next: ['tenement seccomp lint PROFILE', 'take the call out, or write its reason beside it'],
  },
  exposed_secret: {
    why: 'The file of a secret can be read by its group or by everybody on this machine.',
    next: ['chmod 600 FILE, and have it belong to who runs tenement'],
  },
  timed_out: {
    why: 'The instance did not come to the phase that "wait" was for: it is busy, fails to start, or nobody asked it to.',
    next: ['tenement status SERVICE:ID', 'tenement events SERVICE:ID', 'give it longer with --timeout'],
  },
  busy: {
    why: 'It is starting or stopping for somebody else, and two at once would meet.',
    next: ['tenement status SERVICE:ID', 'try again when it has ended'],
  },
  declared: {
    why: 'It stands in [instances] of the config, so it would be back with the next start.',
    next: ['take it out of [instances], and restart "tenement serve"', 'tenement disable SERVICE:ID'],
  },
  unusable_plugin: {
    why: 'It cannot be found or loaded, others could change it, or its last proof on this machine failed.',
    next: ['tenement check --plugin PATH', 'tenement check --attack'],
  },
  unsupported_machine: {
    why: 'The kernel, a setting of the machine, or a missing program keeps an isolation from doing what it promises.',
    next: ['tenement check', 'it names the narrowest thing that mends it'],
  },
  internal: {
    why: 'Something happened that was thought impossible.',
    next: ['look into the log of "tenement serve" for the moment, and report it with those lines'],
  },
}

const log = 'tenement logs SERVICE:ID'
const status = 'tenement status SERVICE:ID'

const answers: Readonly<Record<Reason, Advice>> = {
  asleep: {
    why: 'The path is one of asleep_health of the service, and the instance has no process.',
    next: ['nothing: it wakes with the next request for another path'],
  },
  bad_request: {
    why: 'Line ends, lengths or characters of the request could be read in two ways, which is how requests are smuggled.',
    next: ['mend the client: RFC 9112 says what a request looks like'],
  },
  bad_host: {
    why: 'The Host header is missing, there twice, or is no host name; it decides which instance is meant.',
    next: ['send exactly one Host header'],
  },
  unknown_host: {
    why: 'The host is neither ID.SERVICE.DOMAIN of an instance nor in [hosts].',
    next: ['tenement ps', 'its ADDRESS is the host to ask for'],
  },
  wake: {
    why: 'The page that browsers are shown while an instance wakes asks for it at /.well-known/tenement/wake.',
    next: ['nothing: it wakes nobody and keeps nobody awake'],
  },
  reserved_path: {
    why: 'On every host tenement keeps /.well-known/tenement/ for itself; only /.well-known/tenement/wake is there, for GET.',
    next: ['give the page of the application another path'],
  },
  method_not_allowed: {
    why: 'CONNECT and TRACE are not forwarded: one makes tunnels, the other shows headers that are nobody else’s business.',
    next: ['use another method'],
  },
  request_timeout: {
    why: 'The head took more than 15 seconds, or the body brought less than a kilobyte a second for half a minute.',
    next: ['look at the way between client and server'],
  },
  body_too_large: {
    why: 'The body has more bytes than max_body of the service; nothing of one that says so beforehand reached the instance.',
    next: ['send less', 'raise max_body of the service, or take it out'],
  },
  rate_limited: {
    why: 'From one address (of IPv6, one /64) more different instances were woken within a minute than wakes_per_client allows.',
    next: ['try again after Retry-After', 'name a proxy that many clients come through in trusted_proxies'],
  },
  bad_expectation: {
    why: 'The request has an Expect header with something other than 100-continue.',
    next: ['leave the header out'],
  },
  head_too_large: {
    why: 'Request line and headers together are larger than 32 KB; most often cookies are.',
    next: ['send fewer or shorter headers'],
  },
  internal: {
    why: 'Something happened in tenement that was thought impossible; the application may have seen the request.',
    next: ['look into the log of "tenement serve" for the moment, and report it with those lines'],
  },
  upstream_broke: {
    why: 'The instance had at least a byte of the request and closed the connection or crashed before it answered.',
    next: [log, status],
  },
  upstream_protocol: {
    why: 'What the instance sent is no HTTP: a wrong length, a broken header, another protocol.',
    next: [log],
  },
  waking: {
    why: 'The instance was asleep and had not begun to listen when the request had waited long enough.',
    next: [
      status,
      log,
      'raise start_timeout if it needs longer',
      'page_after is when browsers are shown a page meanwhile',
    ],
  },
  queue_full: {
    why: 'More requests wait for this instance, or for all together, than may; of all, those of the address that holds most go first.',
    next: ['try again after Retry-After', status],
  },
  capacity: {
    why: 'As many instances run as may, and none of them is idle.',
    next: ['tenement ps', 'raise max_running, or lower idle_timeout'],
  },
  start_failed: {
    why: 'The program ended or did not listen before start_timeout, or could not be executed.',
    next: [log, status],
  },
  backoff: {
    why: 'It crashed, and the next start is tried after a pause that grows with each crash.',
    next: [log, status],
  },
  crashloop: {
    why: 'Five crashes within ten minutes: it is left alone for five minutes and more.',
    next: [log, 'tenement enable SERVICE:ID tries it at once'],
  },
  disabled: { why: 'Somebody ran "tenement disable".', next: ['tenement enable SERVICE:ID'] },
  paused: {
    why: 'Somebody ran "tenement pause", and the request waited for hold_timeout without "tenement resume" having come.',
    next: ['tenement resume SERVICE:ID', 'try again after Retry-After'],
  },
  stopped: {
    why: 'The instance was stopped by hand while the request waited for it; the next request wakes it.',
    next: ['try again'],
  },
  unavailable: {
    why: 'This machine cannot confine the service as its config asks, so it is not started at all.',
    next: ['tenement check', status],
  },
  unreachable: {
    why: 'The instance runs and does not accept connections where it said it would.',
    next: [log, 'look whether it listens on $PORT of 127.0.0.1, or as "listen" says'],
  },
  shutting_down: {
    why: '"tenement serve" is being stopped; requests that are being answered are let finish.',
    next: ['try again after Retry-After'],
  },
  loop: {
    why: 'The request came through here eight times: an application passes what it is asked on to tenement, headers and all.',
    next: [log, 'look which address the application, or the proxy before it, asks'],
  },
  upstream_timeout: {
    why: 'The instance has the request and did not begin to answer within response_timeout.',
    next: [log, 'raise response_timeout if it may take so long'],
  },
}

const stages: Readonly<Record<Phase, Advice & { readonly means: string }>> = {
  asleep: {
    means: 'it has no process and costs nothing',
    why: 'Nobody asks for it.',
    next: ['the next request wakes it'],
  },
  queued: {
    means: 'it waits for its turn to start',
    why: 'Only some instances start at once, so that each has the processor it needs.',
    next: [status],
  },
  starting: {
    means: 'its process runs and is not ready yet',
    why: 'It is ready when it accepts connections, answers "health", or writes the line of "ready".',
    next: [log],
  },
  ready: { means: 'it answers requests', why: 'It was asked for, and not so long ago.', next: [status] },
  frozen: {
    means: 'it stands still in memory, and goes on with its next request',
    why: 'Nobody has used it for freeze_after. It gets no processor time, and keeps its memory.',
    next: ['the next request lets it go on'],
  },
  draining: {
    means: 'it answers what it has, and gets nothing new',
    why: 'It is about to be stopped.',
    next: [status],
  },
  stopping: {
    means: 'it was told to end',
    why: 'It was idle for idle_timeout, or somebody stopped it. After stop_timeout it is killed, with all it started.',
    next: [log],
  },
  backoff: {
    means: 'it crashed, and waits for its next start',
    why: 'Each crash makes the pause longer, so that what always crashes does not take the machine along.',
    next: [log, status],
  },
  crashlooped: {
    means: 'it crashed again and again, and is left alone for a while',
    why: 'Five crashes within ten minutes.',
    next: [log, 'tenement enable SERVICE:ID tries it at once'],
  },
  paused: {
    means: 'it is kept at rest by an operator, and requests wait',
    why: 'Somebody ran "tenement pause", to work on its data. Requests are held for hold_timeout and refused then.',
    next: ['tenement resume SERVICE:ID'],
  },
  disabled: {
    means: 'it is switched off: requests are refused',
    why: 'Somebody ran "tenement disable".',
    next: ['tenement enable SERVICE:ID'],
  },
}

const keysOf = <Key extends string>(record: Readonly<Record<Key, unknown>>): readonly Key[] =>
  Object.keys(record) as Key[]

/** One for each meaning of a word: "backoff" is an answer and a phase. */
export const explanations: readonly Explanation[] = [
  ...keysOf(reasons).map((code) => ({
    ...{ code, kind: `answer ${entryOf(code).status}`, means: entryOf(code).detail },
    ...answers[code],
  })),
  ...phases.map((code) => ({ code, kind: 'phase', ...stages[code] })),
  ...keysOf(errorCodes).map((code) => ({ code, kind: 'error', means: errorCodes[code], ...errors[code] })),
]
