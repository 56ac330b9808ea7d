import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  asTemplate,
  fillPartly,
  fillTemplate,
  problemsOfTemplate,
  templateVariables,
} from '../../../src/config/template.ts'

describe('templates', () => {
  it('are filled with the values of the instance', () => {
    expect(fillTemplate('{data_dir}/{id}/app.db', { data_dir: '/data', id: 'acme' })).toBe('/data/acme/app.db')
  })

  it('hold literal braces when they are doubled', () => {
    expect(fillTemplate('{{"a":{{}}}} {{id}} {id}', { id: 'acme' })).toBe('{"a":{}} {id} acme')
  })

  it('never read a value as a template again', () => {
    expect(fillTemplate('{data_dir}/{id}', { data_dir: '/{id}/{{', id: 'acme' })).toBe('/{id}/{{/acme')
  })

  it('keep every text that is made a template first', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'id', 'a', '/') }), (text) => {
        expect(fillTemplate(asTemplate(text), {})).toBe(text)
      }),
    )
  })

  it('filled in two steps are the same as filled in one', () => {
    const values = { data_dir: '/{d}', id: 'acme', name: 'n' }
    const template = '{data_dir}/{{x}}/{name}-{id}'
    expect(fillTemplate(fillPartly(template, { data_dir: '/{d}' }), values)).toBe(fillTemplate(template, values))
  })

  it('reject rather than leave a variable unfilled', () => {
    expect(() => fillTemplate('{port}', { id: 'acme' })).toThrow(expect.objectContaining({ code: 'internal' }))
    expect(() => fillTemplate('{toString}', {})).toThrow(expect.objectContaining({ code: 'internal' }))
  })

  it('are reported for each thing that cannot be filled, with what was meant', () => {
    expect(problemsOfTemplate('{ide} {id} { {socket}', ['id', 'port'])).toEqual([
      expect.objectContaining({ variable: 'ide', suggestion: 'id', isElsewhere: false }),
      expect.objectContaining({ problem: 'holds a single "{"' }),
      expect.objectContaining({ variable: 'socket', isElsewhere: true }),
    ])
  })

  it('without problems can always be filled', () => {
    const values = Object.fromEntries(templateVariables.map((name) => [name, 'x']))
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'id', 'port', ' ', 'name') }), (template) => {
        if (problemsOfTemplate(template, templateVariables).length === 0)
          expect(fillTemplate(template, values)).toBeTypeOf('string')
        else expect(() => fillTemplate(template, values)).toThrow()
      }),
    )
  })
})
