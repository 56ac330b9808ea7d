// Text → HTML that means exactly that text. What is put into a template is escaped unless it was made by a template itself, so no name
// of a service and no message of a machine can become an element, an attribute or a script. Pure.
import { visible } from '../../config/problem.ts'
import { escapeHtml } from '../../escapeHtml.ts'

/** A piece of HTML. Only templates make one. */
export interface Html {
  readonly html: string
}

type Part = string | number | Html | readonly Html[] | undefined

/** Also what would turn or hide the text around it is written out, as on a terminal. */
const harmless = (text: string): string => escapeHtml(visible(text))

const rendered = (part: Part): string => {
  if (part === undefined) return ''
  if (typeof part === 'object') return 'html' in part ? part.html : part.map(({ html }) => html).join('\n')
  return harmless(String(part))
}

export const html = (texts: TemplateStringsArray, ...parts: readonly Part[]): Html => ({
  html: texts.map((text, index) => text + rendered(parts[index])).join(''),
})
