import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { configJsonSchema } from '../../../src/config/jsonSchema.ts'
import { configReference, referenceEnd, referenceStart, replaceReference } from '../../../src/config/reference.ts'
import { overrideKeys, serviceKeys, settingsKeys } from '../../../src/config/schema.ts'

interface Node {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: Node | boolean
}

/** Every key below a table, as 'service.*.env', with its description. */
const keysIn = (node: Node, path = ''): [string, string | undefined][] => {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, value]): [string, string | undefined][] => [
    [`${path}${key}`, value.description],
    ...keysIn(value, `${path}${key}.`),
  ])
  const { additionalProperties: any } = node
  return typeof any === 'object' ? [...own, ...keysIn(any, `${path}*.`)] : own
}

const schema = configJsonSchema()
const node: z.ZodType<Node> = z.lazy(() =>
  z.looseObject({
    description: z.string().exactOptional(),
    properties: z.record(z.string(), node).exactOptional(),
    additionalProperties: z.union([z.boolean(), node]).exactOptional(),
  }),
)

describe('the JSON Schema', () => {
  it('explains every key there is', () => {
    const keys = keysIn(node.parse(schema))
    expect(keys.filter(([, description]) => description === undefined)).toEqual([])
    const names = keys.map(([key]) => key)
    for (const key of Object.keys(settingsKeys.shape)) expect(names).toContain(`settings.${key}`)
    for (const key of Object.keys(serviceKeys.shape)) expect(names).toContain(`service.*.${key}`)
    for (const key of Object.keys(overrideKeys.shape)) expect(names).toContain(`service.*.tenant.*.${key}`)
  })

  it('gives defaults as the file spells them, and lets no unknown key pass', () => {
    expect(schema).toMatchObject({
      $schema: 'http://json-schema.org/draft-04/schema#',
      additionalProperties: false,
      properties: {
        settings: { additionalProperties: false, properties: { hold_timeout: { default: '30s' } } },
        service: {
          additionalProperties: { required: ['command', 'isolation'], properties: { idle_timeout: { default: '5m' } } },
        },
      },
    })
  })

  it('does not tell editors that a list may not be written', () => {
    expect(JSON.stringify(schema)).not.toContain('readOnly')
  })
})

describe('the reference', () => {
  it('has a row for every key, with kind, default and sentence', () => {
    const reference = configReference()
    expect(reference).toContain('| `idle_timeout` | duration or "never" | `"5m"` | How long an instance may go unused')
    expect(reference).toContain('| `command` | command | required |')
    for (const key of [...Object.keys(settingsKeys.shape), ...Object.keys(serviceKeys.shape)]) {
      expect(reference).toMatch(new RegExp(`^\\| \`${key}\` \\| [^|]+ \\| [^|]* \\| [^|]+`, 'm'))
    }
  })

  it('stands in the README between its markers, and leaves the rest alone', () => {
    const readme = `# a\n\n${referenceStart}\nold\n${referenceEnd}\n\nb\n`
    const once = replaceReference(readme, 'new')
    expect(once).toBe(`# a\n\n${referenceStart}\n\nnew\n\n${referenceEnd}\n\nb\n`)
    expect(replaceReference(once, 'new')).toBe(once)
    expect(() => replaceReference('# a', 'new')).toThrow('no part between')
  })
})

it('the fixture that uses every key uses every key', () => {
  const text = readFileSync(new URL('../../fixtures/config/good-everything.toml', import.meta.url), 'utf8')
  for (const key of [...Object.keys(settingsKeys.shape), ...Object.keys(serviceKeys.shape)])
    expect(text).toMatch(new RegExp(`\\b${key}\\b`))
})
