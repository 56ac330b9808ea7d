// The pages that tenement shows people itself: one that waits for an application and then opens it, and one that says what is wrong.
// Pure. One look for both, no part of it from anywhere else; its policy lets in exactly its own style and script, by their hashes.
import { createHash } from 'node:crypto'
import { escapeHtml } from '../../escapeHtml.ts'
import type { WakeState } from '../wake.ts'
import { script } from './script.ts'
import { style } from './style.ts'
import { wordsFor } from './words.ts'

export interface Page {
  readonly html: string
  /** The value of Content-Security-Policy. */
  readonly policy: string
}

/** CSP 3, section 2.3.1. */
const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const nothingElse = `default-src 'none'; base-uri 'none'; form-action 'none'; style-src ${hashOf(style)}`
const policies = {
  still: nothingElse,
  waiting: `${nothingElse}; script-src ${hashOf(script)}; connect-src 'self'`,
} as const

const refresh = (seconds: number): string => `<meta http-equiv="refresh" content="${seconds}">`

/** What is wrong. `retrySeconds` is when the page tries again by itself; undefined where that makes no sense. */
export const stillPage = (title: string, text: string, retrySeconds: number | undefined): Page => ({
  policy: policies.still,
  html: frame({
    title,
    root: '',
    head: retrySeconds === undefined ? '' : `${refresh(retrySeconds)}\n`,
    main: `<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>${retrySeconds === undefined ? '' : `\n<p class="quiet">${againIn(retrySeconds)}</p>`}`,
    end: '',
  }),
})

const againIn = (seconds: number): string =>
  `This page tries again by itself in ${seconds === 1 ? 'a second' : `${seconds} seconds`}.`

/**
 * How far a wake is. It comes back every `retrySeconds` where scripts do not run. The time stands outside of what is read out loud
 * when it changes: nobody wants to hear every second.
 */
export const waitingPage = (wake: WakeState, retrySeconds: number): Page => {
  const { state, title, text, time } = wordsFor(wake)
  return {
    policy: policies.waiting,
    html: frame({
      title,
      root: ` data-state="${state}"`,
      head: `<noscript>${refresh(retrySeconds)}</noscript>\n`,
      main: `<div role="status" aria-live="polite">
<h1 id="title">${escapeHtml(title)}</h1>
<p id="text">${escapeHtml(text)}</p>
</div>
<p id="time" class="quiet">${escapeHtml(time)}</p>`,
      end: `<script>${script}</script>\n`,
    }),
  }
}

interface Frame {
  readonly title: string
  /** All but the title are HTML. */
  readonly root: string
  readonly head: string
  readonly main: string
  readonly end: string
}

const frame = ({ title, root, head, main, end }: Frame): string => `<!doctype html>
<html lang="en"${root}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
${head}<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<div class="sky" aria-hidden="true"><div class="orb"></div></div>
${main}
</main>
${end}</body>
</html>
`
