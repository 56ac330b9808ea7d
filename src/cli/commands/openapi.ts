// `tenement openapi`: what clients of the control API can be made from, without a server.
import type { CommandDefinition } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'

export const openapi: CommandDefinition = {
  name: 'openapi',
  args: [],
  summary: 'Print the OpenAPI document of the control API',
  more: 'A running server answers GET /v1/openapi.json on its control socket with the same.',
  examples: [['tenement openapi > tenement.openapi.json', 'for generators of clients, and for people']],
  flags: [],
  run: async ({ terminal }) => {
    const { describeApi } = await import('../../control/openapi.ts')
    const { routes } = await import('../../control/routes.ts')
    const { packageVersion } = await import('../../packageVersion.ts')
    printJson(terminal, describeApi(routes, packageVersion()))
    return exitCodes.ok
  },
}
