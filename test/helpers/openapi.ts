// Holds answers against an OpenAPI document, strictly: a member that the document does not know is a fault, though clients are
// to bear new ones.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

export interface Operation {
  readonly operationId: string
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: object }[]
  readonly requestBody?: object
  readonly responses: Readonly<
    Record<string, { readonly content: Readonly<Record<string, { readonly schema: object }>> }>
  >
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  return 'properties' in inner ? { ...inner, additionalProperties: false } : inner
}

/** What is wrong with a value by a schema of the document, such as 'InstanceStatus' or one in place; empty when nothing is. */
export const faultsBy = (document: Document) => {
  const ajv = new Ajv2020({ allErrors: true, strict: false })
  ajv.addSchema({ $id: 'api', components: closed(document.components) })
  const compiled = new Map<string, ValidateFunction>()
  return (schema: object, value: unknown): readonly string[] => {
    const key = JSON.stringify(schema)
    const local = JSON.parse(key.replaceAll('"#/components/', '"api#/components/'))
    const validate = compiled.get(key) ?? ajv.compile(local)
    compiled.set(key, validate)
    if (validate(value)) return []
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  }
}
