// 'tenement/conformance': the proofs of an adapter as tests of its author's own test runner.
//
//   import * as runner from 'vitest'
//   import { conformance } from 'tenement/conformance'
//   await conformance({ plugin: new URL('../adapter.js', import.meta.url), runner })
//
// Every proof runs in one go before the first test, which then only tells; the runner is the caller's, so that none is required here.
import { fileURLToPath } from 'node:url'
import { loadPlugin } from '../plugin/load.ts'
import { lifecycle } from './lifecycle.ts'
import { measurePatience } from './patience.ts'
import { prove, sentenceOf } from './prove.ts'
import type { ConformanceReport, Proof } from './report.ts'

export { type ProveOptions, prove } from './prove.ts'
export type { ConformanceReport, Outcome, Proof } from './report.ts'

/** What is needed of a test runner; vitest's own module is one. */
export interface Runner {
  describe(name: string, tests: () => void): unknown
  test(name: string, run: (context: { skip(reason?: string): void }) => void): unknown
  beforeAll(run: () => Promise<void>, timeoutMs: number): unknown
}

export interface ConformanceOptions {
  /** The module, or a folder with a package.json. */
  readonly plugin: URL
  readonly runner: Runner
  /** As in [isolation.NAME]. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** As in [service.X.options]. */
  readonly options?: Readonly<Record<string, unknown>>
}

/** Longest that all proofs together may take on a usual machine, in milliseconds. */
const timeoutMs = 180_000

/** Resolves when the tests are known. Rejects where the plug-in cannot be loaded. */
export const conformance = async ({
  plugin,
  runner,
  settings = {},
  options = {},
}: ConformanceOptions): Promise<void> => {
  const path = fileURLToPath(plugin)
  const loaded = await loadPlugin(path, { folder: path, settings, say: () => undefined })
  await loaded.close()
  runner.describe(`isolation "${loaded.name}"`, () => {
    let report: ConformanceReport | undefined
    runner.beforeAll(async () => {
      report = await prove({ plugin: path, folder: path, settings, options })
    }, timeoutMs * measurePatience())
    for (const sentence of sentencesOf(Object.keys(loaded.adapter.capabilities)))
      runner.test(sentence, ({ skip }) =>
        tell(
          report?.proofs.find((proof) => proof.sentence === sentence),
          skip,
        ),
      )
  })
}

/** As `prove` words them. */
const sentencesOf = (promised: readonly string[]): readonly string[] => [
  ...lifecycle.map(({ sentence }) => `an instance ${sentence}`),
  ...promised.map(sentenceOf),
  'an instance breaks nothing that tenement promises of all of them',
]

const tell = (proof: Proof | undefined, skip: (reason?: string) => void): void => {
  if (proof === undefined) throw new Error('this was not proved')
  if (proof.outcome === 'failed') throw new Error(`${proof.about}: ${proof.because.join('\n')}`)
  if (proof.outcome === 'not run') skip(proof.because.join('; '))
}
