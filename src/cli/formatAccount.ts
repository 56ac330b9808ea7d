// What `why` prints: the account of an instance in sentences, in the order in which it came about. Pure; the time is an argument.
import { visible } from '../config/problem.ts'
import type { Account, ClientKind, NextStep, Stopped, WakingRequest, Woken } from '../control/account.ts'
import type { LastExit } from '../control/operations.ts'
import { explanations } from './explanations.ts'
import { phaseCell } from './formatInstances.ts'
import { formatExit } from './formatStatus.ts'
import { formatDuration } from './formatUnits.ts'
import type { Paint } from './terminal.ts'

/** Of what a program wrote before it ended, as much as usually holds the reason. */
const linesShown = 8

const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** '12:03:10' by the clock of this machine, with the date where it is not today's. */
export const clockTime = (at: string, nowMs: number): string => {
  const date = new Date(at)
  const day = `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())}`
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')
  return date.toDateString() === new Date(nowMs).toDateString() ? time : `${day} ${time}`
}

const past = (at: string, nowMs: number): string =>
  `${clockTime(at, nowMs)} (${formatDuration(Math.max(nowMs - Date.parse(at), 0), 2)} ago)`

/** Rounded up: what is said to happen in 4 s has not happened 4 s later. */
const future = (at: string, nowMs: number): string => {
  const seconds = Math.max(Math.ceil((Date.parse(at) - nowMs) / 1_000), 0)
  return `${clockTime(at, nowMs)} (in ${seconds === 0 ? 'a moment' : formatDuration(seconds * 1_000, 2)})`
}

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`

const meaningOf = (phase: Account['phase']): string =>
  explanations.find(({ code, kind }) => code === phase && kind === 'phase')?.means ?? ''

const neverRan = ({ phase, since, woken, stopped }: Account): boolean =>
  phase === 'asleep' && since === null && woken === null && stopped === null

const phaseLine = (account: Account, nowMs: number, paint: Paint): string => {
  const { instance, phase, since, serverSince } = account
  const { text, style } = phaseCell(phase)
  const is = `${paint('bold', instance)} is ${phase === 'backoff' ? 'in ' : ''}${style ? paint(style, text) : text}`
  if (neverRan(account)) return `${is}: nobody has asked for it since tenement started at ${past(serverSince, nowMs)}`
  const when = since === null ? `before this server started at ${past(serverSince, nowMs)}` : past(since, nowMs)
  return `${is} since ${when}: ${meaningOf(phase)}`
}

const clients: Readonly<Record<ClientKind, string>> = {
  browser: 'from a browser',
  upgrade: 'to open a WebSocket or the like',
  program: 'from a program',
}

const requestOf = ({ method, host, client }: WakingRequest): string => `${method} ${clients[client]} for ${host}`

const wakers: Readonly<Record<Woken['by'], (woken: Woken, at: string) => string>> = {
  request: ({ request }, at) =>
    `it was woken at ${at} by a request${request === null ? '' : `: ${requestOf(request)}`}`,
  operator: ({ order }, at) => `it was started at ${at} by an operator: tenement ${order ?? 'wake'}`,
  autostart: (_, at) => `it was started at ${at} with tenement, because of autostart`,
  crash: ({ request }, at) =>
    `it was started again at ${at} after a crash${request === null ? '' : `, for a request that waited: ${requestOf(request)}`}`,
  takeover: (_, at) => `it was started at ${at} by an earlier server, and taken over by this one`,
}

const ends: Readonly<Record<Stopped['cause'], string>> = {
  idle: 'it was last put to sleep',
  evicted: 'it was last put to sleep',
  operator: 'it was last stopped',
  crash: 'it last crashed',
  chosen: 'it last ended by itself, in order and unused,',
  earlier: 'it was last stopped',
}

/** Whether the sentence says how the process ended already. */
const isTold = (told: string, { code, signal, outOfMemory }: LastExit): boolean =>
  outOfMemory || told.includes(signal ?? `code ${code}`)

const stopLines = ({ stopped, crashesInARow }: Account, nowMs: number): readonly string[] => {
  if (stopped === null) return []
  const { at, cause, told, exit, lastLines } = stopped
  const count = cause === 'crash' && crashesInARow > 1 ? `, ${crashesInARow} times in a row` : ''
  const how = exit !== null && cause === 'crash' && !isTold(told, exit) ? ` (${formatExit(exit)})` : ''
  const wrote = cause === 'crash' ? lastLines.slice(-linesShown) : []
  return [
    `${ends[cause]} at ${past(at, nowMs)}${count}: ${told}${how}`,
    ...(wrote.length === 0 ? [] : ['its last lines:', ...wrote.map((line) => `  | ${line}`)]),
  ]
}

type Sentence = (account: Account, when: string) => string

const inProgress = ({ active }: Account): string => `${plural(active, 'request')} in progress`

const nextSentences: Readonly<Record<NextStep, Sentence>> = {
  wake: ({ instance }) => `nothing happens until a request comes, or: tenement wake ${instance}`,
  start: ({ waiting }) => `it starts when its turn comes; ${plural(waiting, 'request')} waiting`,
  deadline: (_, when) => `it is ready by ${when}, or is ended then: start_timeout`,
  freeze: (_, when) => `it will be frozen at ${when} if nobody uses it`,
  sleep: (_, when) => `it will be put to sleep at ${when} if nobody uses it`,
  stay: (account) =>
    account.idleTimeoutMs === null
      ? `it stays awake: its idle_timeout is "never"; ${inProgress(account)}`
      : `it stays awake: ${inProgress(account)}; ${formatDuration(account.idleTimeoutMs, 2)} after the last it will be put to sleep`,
  stop: (account, when) => `it will be told to end at ${when} at the latest; ${inProgress(account)}`,
  kill: (_, when) => `it will be killed at ${when} if it has not ended by itself`,
  retry: ({ waiting }, when) =>
    waiting > 0
      ? `the next try is at ${when}; ${plural(waiting, 'request')} waiting`
      : `it may be tried again from ${when}, by the next request`,
  try: ({ next }, when) =>
    next.at === null
      ? 'the next request tries once'
      : `requests are refused until ${when}; then the next one tries once`,
  enable: () => 'requests are refused until an operator says otherwise',
  resume: ({ waiting }) =>
    `requests are held for hold_timeout and then refused, until an operator says otherwise; ${waiting} waiting now`,
  refused: ({ refused }) => `it is not started on this machine: ${refused ?? ''}`,
}

const nextLine = (account: Account, nowMs: number): string => {
  const { step, at } = account.next
  const isOver = step === 'try' && at !== null && Date.parse(at) <= nowMs
  if (isOver) return nextSentences.try({ ...account, next: { step, at: null } }, '')
  return nextSentences[step](account, at === null ? '' : future(at, nowMs))
}

const advice: Readonly<Partial<Record<NextStep, (instance: string) => string>>> = {
  retry: (instance) => `tenement logs ${instance}`,
  try: (instance) => `tenement logs ${instance}; once it is mended, tenement enable ${instance} tries it at once`,
  enable: (instance) => `tenement enable ${instance}`,
  resume: (instance) => `tenement resume ${instance}`,
  refused: () => 'tenement check',
}

/** Sentences, one on each line. `nowMs` counts from the epoch. */
export const formatAccount = (account: Account, nowMs: number, paint: Paint): string => {
  const { instance, woken, next } = account
  const told = [
    ...(woken === null ? [] : [wakers[woken.by](woken, past(woken.at, nowMs))]),
    ...stopLines(account, nowMs),
    nextLine(account, nowMs),
  ]
  const step = advice[next.step]?.(instance)
  return [
    phaseLine(account, nowMs, paint),
    ...told.map((line) => visible(line)),
    ...(step === undefined ? [] : [`→ ${step}`]),
  ].join('\n')
}
