// The reference of every key as Markdown, made from the JSON Schema, and put between two markers of the README.
// A row is what the schema says and nothing else: to change a row, change the schema.
import { z } from 'zod'
import { configJsonSchema } from './jsonSchema.ts'

const propertySchema = z.object({
  title: z.string().optional(),
  description: z.string(),
  default: z.unknown().optional(),
})

const tableSchema = z.object({
  properties: z.record(z.string(), propertySchema),
  required: z.array(z.string()).default([]),
})

type Table = z.output<typeof tableSchema>

const named = <Inner extends z.ZodType>(inner: Inner) => z.object({ additionalProperties: inner })
const serviceSchema = tableSchema.extend({ properties: z.object({ tenant: named(tableSchema) }) })
const fileSchema = z.object({
  properties: z.object({
    settings: tableSchema,
    service: named(tableSchema),
    instances: propertySchema,
    hosts: propertySchema,
    isolation: named(tableSchema),
  }),
})
const tenantSchema = z.object({ properties: z.object({ service: named(serviceSchema) }) })

/** One table per table of the file. */
export const configReference = (): string => {
  const schema = configJsonSchema()
  const { settings, service, instances, hosts, isolation } = fileSchema.parse(schema).properties
  const { tenant } = tenantSchema.parse(schema).properties.service.additionalProperties.properties
  return [
    tableOf('[settings]', settings),
    tableOf('[service.X]', service.additionalProperties),
    `#### \`[service.X.tenant.ID]\`\n\nWhat differs for one tenant: ${keysOf(tenant.additionalProperties)}.`,
    `#### \`[instances]\`\n\n${instances.description} \`api = ["acme", "zeta"]\``,
    `#### \`[hosts]\`\n\n${hosts.description}`,
    tableOf('[isolation.NAME]', isolation.additionalProperties),
  ].join('\n\n')
}

const keysOf = ({ properties }: Table): string =>
  Object.keys(properties)
    .map((key) => `\`${key}\``)
    .join(', ')

const tableOf = (heading: string, { properties, required }: Table): string => {
  const rows = Object.entries(properties).map(([key, property]) => rowOf(key, property, required.includes(key)))
  return [`#### \`${heading}\``, '', '| key | kind | default | |', '|---|---|---|---|', ...rows].join('\n')
}

const rowOf = (key: string, property: z.output<typeof propertySchema>, isRequired: boolean): string => {
  const fallback = property.default === undefined ? '' : `\`${inToml(property.default)}\``
  const cells = [`\`${key}\``, property.title ?? '', isRequired ? 'required' : fallback, property.description]
  return `| ${cells.map(escapeCell).join(' | ')} |`
}

/** A default as the file spells it; the only tables among them are empty. */
const inToml = (value: unknown): string => JSON.stringify(value)

// A `<` outside of backquotes would begin a tag, and vanish.
const escapeCell = (text: string): string => text.replace(/[|<]/g, '\\$&').replace(/\n/g, ' ')

export const referenceStart = '<!-- config reference: made by npm run reference -->'
export const referenceEnd = '<!-- end -->'

/** The README with the reference, or another part that is made, between its two markers. Throws when they are not there, or not in order. */
export const replaceReference = (readme: string, reference: string, startMark = referenceStart): string => {
  const start = readme.indexOf(startMark)
  const end = readme.indexOf(referenceEnd, start)
  if (start < 0 || end < 0) throw new Error(`the text has no part between "${startMark}" and "${referenceEnd}"`)
  return `${readme.slice(0, start + startMark.length)}\n\n${reference}\n\n${readme.slice(end)}`
}
