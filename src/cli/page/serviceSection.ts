// The part of the page about the services: how exposed each is on this machine, and what that is made of. Pure.
import type { Exposure } from '../../check/exposure/exposure.ts'
import { type Level, levelOf } from '../../check/exposure/score.ts'
import { wordOf } from './adapterSection.ts'
import type { State } from './areas.ts'
import { type Html, html } from './html.ts'

export interface ServicePart {
  readonly name: string
  readonly isolation: string
  /** Undefined where this machine cannot run it, or where its config is wrong. */
  readonly exposure: Exposure | undefined
  /** What max_exposure allows. */
  readonly most: number | undefined
  /** Whether the attack broke a promise of its isolation, on which the score counts. */
  readonly isBroken: boolean
}

const states: Readonly<Record<Level, State>> = { low: 'good', medium: 'fair', high: 'bad' }

export const serviceSection = (services: readonly ServicePart[]): Html => html`<section aria-labelledby="services">
<h2 id="services">Services</h2>
<p>How exposed a service is on this machine, from 0 (nothing that is asked about is open) to 10: what its isolation keeps here, and what
its configuration asks for beyond that.</p>
<table>
<caption>Every service of the configuration</caption>
<thead><tr><th scope="col">Service</th><th scope="col">Isolation</th><th scope="col">Exposure</th><th scope="col">At most</th></tr></thead>
<tbody>
${services.map(summaryRow)}
</tbody>
</table>
${services.flatMap(({ name, exposure }) => (exposure === undefined ? [] : [details(name, exposure)]))}
</section>`

const summaryRow = ({ name, isolation, exposure, most, isBroken }: ServicePart): Html =>
  html`<tr><th scope="row">${name}</th><td>${isolation}</td><td>${exposure === undefined ? 'not known: its isolation was not asked, or cannot run here' : scoreOf(exposure)}${isBroken ? html`<p class="bad">A promise of its isolation was broken here: it is more exposed than this says.</p>` : ''}</td><td>${most === undefined ? 'not bounded' : `${most}${exposure !== undefined && exposure.score > most ? ': it is not started' : ''}`}</td></tr>`

const scoreOf = ({ score }: Exposure): Html => {
  const level = levelOf(score)
  return html`<meter min="0" max="10" low="2" high="5" optimum="0" value="${score}" aria-hidden="true"></meter> ${score.toFixed(1)} of 10, ${wordOf(level, states[level])}`
}

const details = (
  name: string,
  { score, tenant, terms }: Exposure,
): Html => html`<h3>${tenant === undefined ? name : `${name}, as its tenant ${tenant} has it`}: ${score.toFixed(1)} of 10</h3>
${
  terms.length === 0
    ? html`<p>Nothing of what is asked about is open.</p>`
    : html`<table>
<caption>What the score of ${name} is made of, the heaviest part first</caption>
<thead><tr><th scope="col" class="number">Points</th><th scope="col">An instance …</th><th scope="col">Why it counts</th></tr></thead>
<tbody>
${terms.map(({ points, of, exposes, because, fix }) => html`<tr><td class="number">${points.toFixed(2)} of ${of.toFixed(2)}</td><td>${exposes}${fix === undefined ? '' : html`<p class="quiet">To close it: ${fix}</p>`}</td><td>${because}</td></tr>`)}
</tbody>
</table>`
}`
