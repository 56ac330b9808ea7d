// The JSON Schema of tenement.toml, so that editors complete and explain it. Made from schema.ts; nothing is declared here.
// It describes what may be written, so it cannot say what only several keys together show; `tenement check` does.
import { z } from 'zod'
import { fileKeys } from './schema.ts'

/** JSON Schema draft-04, which the validators of TOML editors know for certain. */
export const configJsonSchema = (): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(fileKeys, {
    target: 'draft-4',
    io: 'input',
    reused: 'inline',
    override: ({ jsonSchema }) => dropReadOnly(jsonSchema),
  })

// zod writes readOnly for what the code may not change; in a JSON Schema it would mean that nobody may write the key.
const dropReadOnly = (schema: z.core.JSONSchema.BaseSchema): void => {
  delete schema.readOnly
}
