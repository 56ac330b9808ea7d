// Templates in commands, environments and data directories: "{data_dir}/{id}/app.db". `{{` and `}}` are literal braces.
// A value that is filled in is never read as a template again, and never split into arguments.
import { TenementError } from '../errors.ts'
import { nearest } from './suggest.ts'

export const templateVariables = ['id', 'name', 'data_dir', 'port', 'socket'] as const

export type TemplateVariable = (typeof templateVariables)[number]

/** What each variable stands for in one instance; `name` is the service's. */
export type TemplateValues = Readonly<Partial<Record<TemplateVariable, string>>>

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'stray'; readonly text: string }

/** A variable between braces, a doubled brace, a stray brace, or text without any. */
const pattern = /\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+/g

const readParts = (template: string): readonly Part[] =>
  [...template.matchAll(pattern)].map(([text, name]) => {
    if (name !== undefined) return { kind: 'variable', name }
    if (text === '{{' || text === '}}') return { kind: 'text', text: text.charAt(0) }
    return { kind: text === '{' || text === '}' ? 'stray' : 'text', text }
  })

/** The second half of a sentence about a template, when it cannot be filled. */
export interface TemplateProblem {
  readonly problem: string
  /** The variable that is not known; undefined for a stray brace. */
  readonly variable?: string
  /** The variable has a value for other services or keys. */
  readonly isElsewhere: boolean
  readonly suggestion?: string
  readonly fix: string
}

const isVariable = (name: string): name is TemplateVariable => templateVariables.some((variable) => variable === name)

/** Every reason why the template cannot be filled from the allowed variables alone. */
export const problemsOfTemplate = (
  template: string,
  allowed: readonly TemplateVariable[],
): readonly TemplateProblem[] =>
  readParts(template).flatMap((part): readonly TemplateProblem[] => {
    if (part.kind === 'text') return []
    if (part.kind === 'stray')
      return [
        {
          isElsewhere: false,
          problem: `holds a single "${part.text}"`,
          fix: `write "${part.text}${part.text}" for a literal brace`,
        },
      ]
    return allowed.some((name) => name === part.name) ? [] : [unknownVariable(part.name, allowed)]
  })

const unknownVariable = (name: string, allowed: readonly TemplateVariable[]): TemplateProblem => {
  const suggestion = isVariable(name) ? undefined : nearest(name, allowed)
  const there = allowed.map((variable) => `{${variable}}`).join(' ')
  return {
    variable: name,
    isElsewhere: isVariable(name),
    problem: isVariable(name)
      ? `holds {${name}}, which has no value here`
      : 'holds a template variable that is not known',
    ...(suggestion === undefined ? {} : { suggestion }),
    fix: `${suggestion === undefined ? 'use one of' : `write {${suggestion}}; there are`} ${there}, and "{{" for a literal brace`,
  }
}

/** The variables a template uses. */
export const variablesOf = (template: string): readonly string[] =>
  readParts(template).flatMap((part) => (part.kind === 'variable' ? part.name : []))

/** The template with its values filled in. Throws 'internal' for what `problemsOfTemplate` would have reported. */
export const fillTemplate = (template: string, values: TemplateValues): string =>
  readParts(template)
    .map((part) => {
      if (part.kind === 'text') return part.text
      const value = part.kind === 'variable' && isVariable(part.name) ? values[part.name] : undefined
      if (value === undefined)
        throw new TenementError('internal', 'a template was to be filled that has no value for each of its variables')
      return value
    })
    .join('')

/** The template with some of its values filled in: a template of the variables that are left. */
export const fillPartly = (template: string, values: TemplateValues): string =>
  readParts(template)
    .map((part) => {
      const value = part.kind === 'variable' && isVariable(part.name) ? values[part.name] : undefined
      if (part.kind === 'variable') return value === undefined ? `{${part.name}}` : asTemplate(value)
      return asTemplate(part.text)
    })
    .join('')

/** The template that stands for exactly this text. */
export const asTemplate = (text: string): string => text.replace(/[{}]/g, '$&$&')
