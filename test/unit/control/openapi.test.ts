import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { describeApi } from '../../../src/control/openapi.ts'
import { routes } from '../../../src/control/routes.ts'
import { type Document, faultsBy } from '../../helpers/openapi.ts'
import { carol, instanceStatus } from './scripted.ts'

const document = describeApi(routes, '1.2.3') as unknown as Document

/** The validator changes what it is given. */
const copyOf = (given: Document): Record<string, unknown> => JSON.parse(JSON.stringify(given))

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
)

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1, all its references included', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(copyOf(document))
    expect(errors ?? []).toEqual([])
    expect(valid).toBe(true)
    expect(validator.version).toBe('3.1')
    // Throws for a reference that leads nowhere.
    expect(validator.resolveRefs({ specification: copyOf(document) })).toBeTypeOf('object')
  })

  it('has every route, and nothing that is none', () => {
    const described = operations.map(({ method, path }) => `${method} ${path}`).sort()
    expect(described).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort())
  })

  it('gives each operation a name of its own', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toContain('postInstanceWake')
    for (const id of ids) expect(id).toMatch(/^(get|post|delete)[A-Z][A-Za-z]*$/)
  })

  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    'says of %s what it takes and what it answers with',
    (_, { method, path, query, takesBody, answers }) => {
      const operation = document.paths[path]?.[method.toLowerCase()]
      const named = (place: string): (string | undefined)[] =>
        (operation?.parameters ?? []).filter((each) => each.in === place).map((each) => each.name)
      expect(named('query')).toEqual([...query])
      expect(named('path')).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))
      for (const parameter of operation?.parameters ?? [])
        expect(parameter).toMatchObject({ schema: expect.any(Object), description: expect.stringMatching(/\.$/) })
      expect(operation?.requestBody !== undefined).toBe(takesBody)
      expect(Object.keys(operation?.responses ?? {})).toEqual([String(answers.status), 'default'])
      expect(Object.keys(operation?.responses[answers.status]?.content ?? {})).toEqual([answers.type])
    },
  )

  it('tells a status that lacks something, has something more, or something else, from a whole one', () => {
    const faults = faultsBy(document)
    const reference = { $ref: '#/components/schemas/InstanceStatus' }
    const whole = instanceStatus(carol)
    expect(faults(reference, whole)).toEqual([])
    const { phase: _, ...lacking } = whole
    expect(faults(reference, lacking)).toHaveLength(1)
    expect(faults(reference, { ...whole, more: 1 })).toHaveLength(1)
    expect(faults(reference, { ...whole, phase: 'awake' })).toHaveLength(1)
  })
})
