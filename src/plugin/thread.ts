// The thread of one plug-in, executed by Node as a worker: imports the module, tells what it defines, and answers calls to it.
// A thread, since a plug-in that loops, calls process.exit or throws where nobody listens would otherwise end the server with it.
// It believes nothing and checks nothing: what is answered is held against the types on the other side.
import { register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { messageOf } from '../errors.ts'
import { optionIssues, readOptions } from '../isolation/options.ts'
import type { AdapterDefinition } from './definition.ts'
import type { CallName, FromThread, ThreadData, ToThread } from './messages.ts'

const { file, written, hooks } = workerData as ThreadData

const say = (message: FromThread): void => parentPort?.postMessage(message)

/** Everything but the functions, of which it is told whether they are there. */
const describe = (definition: AdapterDefinition<unknown, unknown>): unknown => {
  const { name, apiVersion, privileged, capabilities, defaults, needs, networks, listens, sight } = definition
  const has = (key: keyof typeof definition): boolean => definition[key] !== undefined
  return {
    data: { name, apiVersion, privileged, capabilities, defaults, needs, networks, listens, sight },
    has: { settings: has('settings'), options: has('options'), floorFor: has('floorFor') },
    functions: (['probe', 'prepare'] as const).filter((each) => typeof definition[each] === 'function'),
  }
}

const answersOf = (
  definition: AdapterDefinition<unknown, unknown>,
): Readonly<Record<CallName, (arg: unknown) => unknown>> => {
  const settings = (): Promise<unknown> => readOptions(definition.settings, written)
  const issuesOf = async (schema: typeof definition.options, table: unknown): Promise<unknown> =>
    (await optionIssues(schema, table as Readonly<Record<string, unknown>>)).map(plainIssue)
  return {
    settings: () => issuesOf(definition.settings, written),
    options: (table) => issuesOf(definition.options, table),
    probe: async (machine) => definition.probe(machine as never, await settings()),
    prepare: async (plan) => {
      const given = plan as { readonly options: Readonly<Record<string, unknown>> }
      const options = await readOptions(definition.options, given.options)
      return definition.prepare({ ...given, options } as never, await settings())
    },
    floorFor: async (inputs) => {
      const given = inputs as { readonly options: Readonly<Record<string, unknown>> }
      const options = await readOptions(definition.options, given.options)
      return definition.floorFor?.({ ...given, options } as never)
    },
    ping: () => null,
  }
}

/** Schemas put objects of their own into what they report, which cannot be cloned. */
const plainIssue = ({ message, path = [], expected }: Awaited<ReturnType<typeof optionIssues>>[number]): unknown => ({
  message: String(message),
  path: path.map((part) =>
    typeof part === 'object' ? String(part.key) : typeof part === 'number' ? part : String(part),
  ),
  ...(expected === undefined ? {} : { expected }),
})

const answer = async (
  { call, name, args }: ToThread,
  answers: Readonly<Record<CallName, (arg: unknown) => unknown>>,
): Promise<void> => {
  try {
    say({ type: 'answer', call, value: await answers[name](args[0]) })
  } catch (error) {
    say({ type: 'threw', call, message: messageOf(error), fix: fixOf(error) })
  }
}

/** What an AdapterError says is to be done, or any other error that says so. */
const fixOf = (error: unknown): string | undefined => {
  const fix = error instanceof Error ? (error as { readonly fix?: unknown }).fix : undefined
  return typeof fix === 'string' ? fix : undefined
}

const start = async (): Promise<void> => {
  register('./hooks.js', import.meta.url, { data: hooks })
  say({ type: 'begins' })
  try {
    const definition: unknown = (await import(pathToFileURL(file).href)).default
    if (typeof definition !== 'object' || definition === null)
      return say({
        type: 'not defined',
        message: 'it exports no adapter by default',
        fix: 'write export default defineAdapter({ … })',
      })
    const adapter = definition as AdapterDefinition<unknown, unknown>
    say({ type: 'defined', description: describe(adapter) })
    const answers = answersOf(adapter)
    parentPort?.on('message', (message: ToThread) => void answer(message, answers))
  } catch (error) {
    say({ type: 'not defined', message: `its import failed: ${messageOf(error)}`, fix: fixOf(error) })
  }
}

await start()
