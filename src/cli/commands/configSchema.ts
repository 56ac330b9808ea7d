// `tenement config schema`: what editors need to complete tenement.toml.
import type { CommandDefinition } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'

export const configSchema: CommandDefinition = {
  name: 'config schema',
  args: [],
  summary: 'Print the JSON Schema of tenement.toml',
  more: 'Editors complete and explain the file with it: write "#:schema ./tenement.schema.json" on its first line.',
  examples: [['tenement config schema > tenement.schema.json', 'beside the config']],
  flags: [],
  run: async ({ terminal }) => {
    const { configJsonSchema } = await import('../../config/jsonSchema.ts')
    printJson(terminal, configJsonSchema())
    return exitCodes.ok
  },
}
