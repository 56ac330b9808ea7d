// The part of the page about one isolation: in short, what this machine cannot keep, every promise with the attacks on it, and what
// nobody promised. Pure.
import type { IsolationAdapter } from '../../isolation/adapter.ts'
import type { AttackReport, AttackRow, Outcome } from '../../proof/report.ts'
import { formatTook } from '../formatUnits.ts'
import { areasOf, type State, verdictOf } from './areas.ts'
import { type Html, html } from './html.ts'
import { type Held, type PromiseRows, promiseRowsOf, unpromisedRows } from './promiseRows.ts'

export interface AdapterPart {
  readonly id: string
  readonly report: AttackReport
  readonly promised: IsolationAdapter['capabilities']
  /** Services of the config that use it. */
  readonly services: readonly string[]
}

export const adapterSection = ({ id, report, promised, services }: AdapterPart): Html => {
  const { adapter, usable, problem, counts, durationMs, rows } = report
  const users = services.length === 0 ? 'No service uses it.' : `Used by ${services.join(', ')}.`
  if (!usable)
    return html`<section aria-labelledby="${id}">
<h2 id="${id}">Isolation “${adapter}”</h2>
<p>${users}</p>
<p class="bad"><strong>It cannot run on this machine</strong>: ${problem?.reason ?? 'it does not say why'}. No attack was run.</p>
${problem === null || problem === undefined ? undefined : html`<p>What would help: ${problem.fix}</p>`}
</section>`
  const promises = promiseRowsOf(report, promised)
  const rest = unpromisedRows(report, promises)
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">Isolation “${adapter}”</h2>
<p>${users} Of ${rows.length} attacks from inside an instance ${counts.stopped} were stopped, ${counts.allowed} got through where nothing
was promised, ${counts.broken} broke a promise, and ${counts['not run']} were not run. It took ${formatTook(durationMs)}.</p>
${inShort(report)}
${lostHere(report)}
<h3>Every promise, and the attacks on it</h3>
<table>
<caption>An instance under “${adapter}”: what it is promised to be, and what came of trying the opposite</caption>
${rowHead}
${promises.map(promiseGroup)}
</table>
${rest.length === 0 ? undefined : notPromised(adapter, rest)}
</section>`
}

const inShort = ({ adapter, rows }: AttackReport): Html => html`<h3>In short</h3>
<table>
<caption>What a program under “${adapter}” was set on, and how often it got there</caption>
<thead><tr><th scope="col">What</th><th scope="col">Finding</th><th scope="col" class="number">Stopped</th><th scope="col" class="number">Got through, not promised</th><th scope="col" class="number">Promise broken</th><th scope="col" class="number">Not run</th></tr></thead>
<tbody>
${areasOf(rows).map(({ what, counts }) => {
  const { word, state } = verdictOf(counts)
  return html`<tr><th scope="row">${what}</th><td>${wordOf(word, state)}</td><td class="number">${counts.stopped}</td><td class="number">${counts.allowed}</td><td class="number">${counts.broken}</td><td class="number">${counts['not run']}</td></tr>`
})}
</tbody>
</table>`

export const wordOf = (word: string, state: State): Html => html`<span class="word ${state}">${word}</span>`

const lostHere = ({ lost }: AttackReport): Html | undefined =>
  lost.length === 0
    ? undefined
    : html`<h3>What this machine cannot keep</h3>
<ul>
${lost.map(
  ({ capability, reason, fix, onlyWith }) =>
    html`<li><code>${capability}</code>${onlyWith === undefined ? '' : ` (only with the options ${JSON.stringify(onlyWith)})`}: ${reason}${fix === undefined ? '' : `. What would help: ${fix}`}</li>`,
)}
</ul>`

const rowHead = html`<thead><tr><th scope="col">Row</th><th scope="col">Outcome</th><th scope="col">An instance …</th></tr></thead>`

const heldWords: Readonly<Record<Held, readonly [string, State]>> = {
  broken: ['broken', 'bad'],
  lost: ['cannot be kept on this machine', 'fair'],
  kept: ['held', 'good'],
  'not tried': ['not tried', 'quiet'],
}

const promiseGroup = ({ name, sentence, strength, held, lost, rows }: PromiseRows): Html => {
  const [word, state] = heldWords[held]
  const effort = strength === 'best-effort' ? ' (as far as nobody works against it)' : ''
  return html`<tbody>
<tr><th scope="rowgroup" colspan="3"><code>${name}</code>: ${sentence}${effort}. ${wordOf(word, state)}${lost === undefined ? '' : `: ${lost.reason}`}</th></tr>
${rows.length === 0 ? html`<tr><th scope="row" class="number">none</th><td>${wordOf('not run', 'quiet')}</td><td>no attack of this run is about it</td></tr>` : rows.map(attackRow)}
</tbody>`
}

const notPromised = (adapter: string, rows: readonly AttackRow[]): Html => html`<h3>What nobody promised</h3>
<table>
<caption>Attacks on what “${adapter}” does not promise, and rows that are no question of it</caption>
${rowHead}
<tbody>
${[...rows].sort((one, other) => order.indexOf(one.outcome) - order.indexOf(other.outcome)).map(attackRow)}
</tbody>
</table>`

const outcomeWords: Readonly<Record<Outcome, readonly [string, State]>> = {
  broken: ['broken', 'bad'],
  allowed: ['allowed by design', 'fair'],
  stopped: ['stopped', 'good'],
  'not run': ['not run', 'quiet'],
}
const order = Object.keys(outcomeWords)

const attackRow = ({ row, outcome, sentence, network, because }: AttackRow): Html => {
  const [word, state] = outcomeWords[outcome]
  // Each sentence says what holds where nothing gets through.
  const isFalse = outcome === 'allowed' || outcome === 'broken'
  const where = network === null ? '' : `, on network "${network}"`
  return html`<tr><th scope="row" class="number">${row}</th><td>${wordOf(word, state)}</td><td>${isFalse ? html`<strong>not so:</strong> ` : ''}${sentence}${where}${because.map((why) => html`<p class="quiet">${why}</p>`)}</td></tr>`
}
