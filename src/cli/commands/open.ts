// `tenement open X`: where an instance is found, and a browser there.
import { visible } from '../../config/problem.ts'
import { instanceNamed } from '../../control/named.ts'
import { openInBrowser } from '../browser.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { connect } from '../controlSocket.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'

export const open: CommandDefinition = {
  name: 'open',
  args: ['<instance>'],
  summary: 'Print the address of an instance, and open it in a browser',
  more: 'Takes $BROWSER, else xdg-open. Over ssh, or without a display, it only prints. The page wakes the instance as every request does.',
  examples: [
    ['tenement open api:carol', 'http://carol.api.localhost:8080/'],
    ['curl $(tenement open api:carol --print)', 'only the address'],
  ],
  flags: [
    { flags: '--print', help: 'only print the address' },
    { ...jsonFlag, help: 'print JSON, and open nothing' },
  ],
  run: async ({ args: [written = ''], given, terminal }) => {
    const name = instanceNamed(written)
    const { instance, address, refused } = await (await connect(given)).status(name)
    const url = `http://${address}/`
    if (given.has('json')) printJson(terminal, { instance, url })
    else terminal.print(visible(url))
    if (refused !== null) terminal.note(`${instance} cannot run on this machine: ${visible(refused)}\n→ tenement check`)
    else if (!given.has('json') && !given.has('print')) await openInBrowser(url, process.env)
    return exitCodes.ok
  },
}
