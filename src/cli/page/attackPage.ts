// The page of `check --attack --html`: one file that a person would show to their customer. It needs nothing else: no script, no font,
// no picture, and its policy forbids the browser to fetch any. Pure: the same findings make the same page.
import { createHash } from 'node:crypto'
import type { IsolationAdapter } from '../../isolation/adapter.ts'
import type { BuildFinding } from '../../proof/builds.ts'
import { fingerprintNames } from '../../proof/fingerprint.ts'
import type { Proof } from '../../proof/prove.ts'
import { formatTook } from '../formatUnits.ts'
import { type AdapterPart, adapterSection, wordOf } from './adapterSection.ts'
import type { State } from './areas.ts'
import { type Html, html } from './html.ts'
import { type ServicePart, serviceSection } from './serviceSection.ts'
import { style } from './style.ts'

export interface PageData {
  /** What the machine is called. */
  readonly machine: string
  readonly proof: Proof
  readonly adapters: ReadonlyMap<string, Pick<IsolationAdapter, 'capabilities'>>
  readonly services: readonly ServicePart[]
}

export const attackPage = (data: PageData): string => {
  const { machine, proof, services } = data
  const parts = proof.adapters.map(
    (report, index): AdapterPart => ({
      id: `isolation-${index + 1}`,
      report,
      promised: data.adapters.get(report.adapter)?.capabilities ?? {},
      services: services.filter(({ isolation }) => isolation === report.adapter).map(({ name }) => name),
    }),
  )
  const { html: page } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>How tenants are confined on ${machine}</title>
<style>${{ html: style }}</style>
</head>
<body>
<header>
<h1>How tenants are confined on ${machine}</h1>
<p class="quiet">Attacked on <time datetime="${isoOf(proof)}">${dateOf(proof)}</time>, for ${formatTook(proof.durationMs)}, by tenement ${proof.fingerprint.tenement}</p>
${verdict(proof)}
</header>
${contents(parts, services.length > 0)}
<main>
${howToRead}
${services.length === 0 ? undefined : serviceSection(services)}
${parts.map(adapterSection)}
${faults(proof.builds)}
${notClaimed}
${madeOn(data)}
</main>
<footer><p>Made by <code>tenement check --attack --html</code>. Run it again when one of the versions above has changed.</p></footer>
</body>
</html>
`
  return page
}

// A style that is not word for word the one above is not applied, wherever it came from (CSP 3, hashes).
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`

const isoOf = ({ startedAtMs }: Proof): string => new Date(startedAtMs).toISOString()

/** '2026-03-01 14:05 UTC': read alike by everybody. */
const dateOf = (proof: Proof): string => isoOf(proof).replace(/^(.{10})T(.{5}).*/, '$1 $2 UTC')

const verdict = (proof: Proof): Html => {
  const [state, words] = verdictIn(proof)
  const missing = proof.adapters.filter(({ usable }) => !usable).map(({ adapter }) => adapter)
  const untried = missing.length === 0 ? '' : ` Not tried, as it cannot run on this machine: ${missing.join(', ')}.`
  return html`<p class="verdict ${state}">${words}${untried}</p>`
}

const verdictIn = ({ adapters, ok }: Proof): readonly [State, string] => {
  const tried = adapters.filter(({ usable }) => usable)
  if (tried.length === 0) return ['fair', 'Nothing was attacked.']
  const count = tried.reduce((sum, { counts }) => sum + counts.stopped + counts.allowed + counts.broken, 0)
  if (ok)
    return [
      'good',
      `No promise was broken: of ${count} attacks from inside, all that tenement promises to stop were stopped.`,
    ]
  const broken = tried.flatMap(({ adapter, rows }) =>
    rows.filter(({ outcome }) => outcome === 'broken').map(({ row }) => `${adapter} ${row}`),
  )
  return ['bad', `${broken.length} of ${count} attacks broke a promise: ${[...new Set(broken)].join(', ')}.`]
}

const contents = (parts: readonly AdapterPart[], hasServices: boolean): Html => html`<nav aria-label="Contents">
<ul>
<li><a href="#reading">How to read this</a></li>
${hasServices ? html`<li><a href="#services">Services</a></li>` : ''}
${parts.map(({ id, report }) => html`<li><a href="#${id}">Isolation “${report.adapter}”</a></li>`)}
<li><a href="#faults">Known faults</a></li>
<li><a href="#claims">What is not claimed</a></li>
<li><a href="#made-on">Made on</a></li>
</ul>
</nav>`

const howToRead = html`<section aria-labelledby="reading">
<h2 id="reading">How to read this</h2>
<p>Programs that behave as a hostile tenant would were started on this machine, confined as tenants are, beside a neighbour. They tried to
get out, to reach the neighbour, and to take more than their share. What counts is what the machine showed afterwards, not what they
said; beside each attack a harmless twin had to work. The instances were made for this and have gone: an isolation was attacked as it
is without options of a service. What a service asks for beyond that is in its score.</p>
<dl>
<dt>${wordOf('stopped', 'good')}</dt><dd>tried, and it got nowhere</dd>
<dt>${wordOf('allowed by design', 'fair')}</dt><dd>it got through, and nothing else was promised; or it is known to, and trying it would harm the machine</dd>
<dt>${wordOf('broken', 'bad')}</dt><dd>it got through although it was promised that it would not, or nothing shows that the promise holds</dd>
<dt>${wordOf('not run', 'quiet')}</dt><dd>with the reason</dd>
</dl>
</section>`

const foundStates: Readonly<Record<BuildFinding['found'], State>> = {
  vulnerable: 'bad',
  reachable: 'fair',
  'not found': 'good',
  'not tried': 'quiet',
}

const faults = (builds: readonly BuildFinding[]): Html => html`<section aria-labelledby="faults">
<h2 id="faults">Known faults of what this stands on</h2>
<p>Looked for by trying them, not by version. Whether instances reach one, its row above says.</p>
<table>
<caption>Published faults, tried as an ordinary user of this machine</caption>
<thead><tr><th scope="col">Fault</th><th scope="col">This machine</th><th scope="col">Finding</th></tr></thead>
<tbody>
${builds.map(
  ({ fault, found, what, because, fix, row }) =>
    html`<tr><th scope="row">${fault}</th><td>${wordOf(found, foundStates[found])}</td><td>${what}: ${because} (row ${row})${fix === null ? '' : html`<p class="quiet">What would help: ${fix}</p>`}</td></tr>`,
)}
</tbody>
</table>
</section>`

const notClaimed = html`<section aria-labelledby="claims">
<h2 id="claims">What is not claimed</h2>
<p>All instances share one kernel. Side channels, covert channels, and faults of the kernel that nobody has published, in calls that are
allowed, are outside of what any isolation here promises; against those only another kernel helps. An attack that was stopped shows that
this way is closed, not that there is no other.</p>
</section>`

const madeOn = ({ machine, proof }: PageData): Html => html`<section aria-labelledby="made-on">
<h2 id="made-on">Made on</h2>
<p>What was shown holds for this machine as it was. When one of these changes it has to be shown again.</p>
<dl>
<dt>machine</dt><dd>${machine}</dd>
${Object.entries(fingerprintNames).map(([key, name]) => html`<dt>${name}</dt><dd>${Object.entries(proof.fingerprint).find(([each]) => each === key)?.[1]}</dd>`)}
</dl>
</section>`
