// Which program shows a page to the person at this machine, and starting it. Nobody sits at a machine reached over ssh or
// without a display, whatever is installed there.
import { spawn } from 'node:child_process'
import { splitCommand } from '../config/command.ts'

type Environment = Readonly<Record<string, string | undefined>>

const isSet = (env: Environment, name: string): boolean => (env[name] ?? '') !== ''

/**
 * The commands to try for a page, the first that is there being enough: those of $BROWSER, divided by colons and with %s
 * for the address where it is not the last word, then the desktop's own. None where nobody would see it.
 */
export const browsersFor = (url: string, env: Environment): readonly (readonly string[])[] => {
  const isRemote = ['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY'].some((name) => isSet(env, name))
  const hasDisplay = ['DISPLAY', 'WAYLAND_DISPLAY'].some((name) => isSet(env, name))
  if (isRemote || !hasDisplay) return []
  const written = (env.BROWSER ?? '').split(':').filter((command) => command.trim() !== '')
  const own = written.flatMap((command) => {
    const split = splitCommand(command)
    // Two quotes with nothing in them are a word, and no program.
    return 'argv' in split && split.argv[0] !== '' ? [withAddress(split.argv, url)] : []
  })
  return [...own, ['xdg-open', url]]
}

const withAddress = (argv: readonly string[], url: string): readonly string[] =>
  argv.some((word) => word.includes('%s')) ? argv.map((word) => word.replaceAll('%s', url)) : [...argv, url]

/** Starts it apart from this process; resolves with whether it is there. */
const start = ([program = '', ...args]: readonly string[]): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { detached: true, stdio: 'ignore' })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })

/** Resolves with the program that was started; undefined when there is none. */
export const openInBrowser = async (url: string, env: Environment): Promise<string | undefined> => {
  for (const command of browsersFor(url, env)) if (await start(command)) return command[0]
  return undefined
}
