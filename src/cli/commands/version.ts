// `tenement version`: this tenement, the Node it runs on, and whether the running server is another one.
import { TenementError } from '../../errors.ts'
import { packageVersion } from '../../packageVersion.ts'
import { type CommandDefinition, type Given, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'

export const version: CommandDefinition = {
  name: 'version',
  args: [],
  summary: 'Print the version of this command and of the running server',
  examples: [['tenement version', 'this command, and the server if one runs']],
  flags: [jsonFlag],
  run: async ({ given, terminal }) => {
    const own = { version: packageVersion(), node: process.version, server: await serverVersion(given) }
    if (given.has('json')) printJson(terminal, own)
    else terminal.print(describeVersions(own.version, own.node, own.server))
    return exitCodes.ok
  },
}

/** Null when there is no server to ask, or none that can be asked: what is asked for first is this command's own version. */
const serverVersion = async (given: Given): Promise<string | null> => {
  try {
    return (await (await connect(given)).server()).version
  } catch (error) {
    if (error instanceof TenementError) return null
    throw error
  }
}

const describeVersions = (own: string, node: string, server: string | null): string => {
  const line = `tenement ${own} (node ${node.replace(/^v/, '')})`
  if (server === null) return `${line}\nno server answers`
  return server === own
    ? `${line}\nthe server runs the same`
    : `${line}\nthe server still runs ${server}\n→ restart "tenement serve"`
}
