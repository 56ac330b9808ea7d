// The command turns red where a promise is taken away: `check --attack` is given isolations of which one thing was left out, as a
// plug-in could be one, and ends with 3; whole ones end with 0. What the launcher looks at itself is taken out of the way, so
// that it is the row that shows it; once it is left in, to see that such a launch is told as broken too.
import { afterEach, describe, expect, test } from 'vitest'
import { runAttack } from '../../src/cli/attack.ts'
import type { Checked } from '../../src/cli/checkConfig.ts'
import type { Given } from '../../src/cli/command.ts'
import { exitCodes } from '../../src/cli/exitCodes.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import type { IsolationAdapter, Launch, LaunchPlan, Machine } from '../../src/isolation/adapter.ts'
import { namespace } from '../../src/isolation/namespace/index.ts'
import { none } from '../../src/isolation/none/index.ts'
import { sandbox } from '../../src/isolation/sandbox/index.ts'
import type { Proof } from '../../src/proof/prove.ts'
import { isRoot } from '../helpers/root.ts'
import { type Weakening, weakenings, withProfile } from './weakenings.ts'

const machine: Machine = { isRoot, hasTenantUids: isRoot }

let printed: string[] = []
afterEach(() => {
  printed = []
})

const paint = (_: string, text: string): string => text
const terminal: Terminal = {
  print: (text) => void printed.push(text),
  printBytes: () => undefined,
  note: (text) => void printed.push(text),
  progress: () => undefined,
  showsProgress: false,
  isInteractive: false,
  columns: undefined,
  canAsk: false,
  confirm: async () => false,
  paint,
  paintNote: paint,
}
const asJson: Given = { has: (flag) => flag === 'json', text: () => undefined }

/** Runs the command on one adapter, with these rows; everything else about it is as on the command line. */
const attackOn = async (
  adapter: IsolationAdapter,
  rows: readonly string[],
): Promise<{ readonly code: number; readonly proof: Proof }> => {
  const probe = await adapter.probe(machine)
  expect(probe.usable).toBe(true)
  const checked: Checked = {
    ...{
      file: undefined,
      config: undefined,
      problems: [],
      warnings: [],
      faults: new Map(),
      promises: new Map(),
      exposures: new Map(),
    },
    adapters: new Map([[adapter.name, adapter]]),
    probes: new Map([[adapter.name, probe]]),
    close: async () => undefined,
  }
  const code = await runAttack(checked, asJson, terminal, (row) => rows.includes(row))
  return { code, proof: JSON.parse(printed.at(-1) ?? '') }
}

const outcomesOf = ({ adapters }: Proof): Readonly<Record<string, string>> =>
  Object.fromEntries(adapters.flatMap(({ rows }) => rows.map(({ row, outcome }) => [row, outcome])))

type Change = Pick<Weakening, 'plan' | 'launch'>

/** The same adapter by another name, of which something was left out. */
const weakenedBy = (adapter: IsolationAdapter, { plan, launch }: Change): IsolationAdapter => ({
  ...adapter,
  name: `weakened-${adapter.name}`,
  prepare: async (given: LaunchPlan): Promise<Launch> => {
    const changed = (await plan?.(given)) ?? given
    const prepared = await adapter.prepare(changed)
    return launch?.(prepared, changed) ?? prepared
  },
})

/** The launcher would see it, and not let it run. */
const unseen = (launch: Launch): Launch => {
  const { expect: _, ...rest } = launch
  return rest
}

const shown = weakenings.filter(({ rows }) => rows.length > 0)
const unattested = ({ plan, launch = (given) => given }: Weakening): Change => ({
  ...(plan === undefined ? {} : { plan }),
  launch: (given, changed) => unseen(launch(given, changed)),
})

/** Each is a launcher with two instances and more, on processors that everything shares. */
const timeoutMs = 120_000

describe('check --attack', () => {
  test.each([sandbox, namespace, none])(
    'ends with 0 for "$name" as it is, in the rows that weakenings break',
    async (adapter) => {
      const rows = [...new Set([...shown.flatMap((each) => each.rows), '4', '9'])]
      const { code, proof } = await attackOn(adapter, rows)
      expect(Object.entries(outcomesOf(proof)).filter(([, outcome]) => outcome === 'broken')).toEqual([])
      expect(Object.keys(outcomesOf(proof)).length).toBe(rows.length)
      expect(code).toBe(exitCodes.ok)
    },
    timeoutMs,
  )

  test.each(shown.map((each) => [each.what, each] as const))(
    'ends with 3 for an instance %s',
    async (_, weakening) => {
      const { code, proof } = await attackOn(weakenedBy(weakening.adapter, unattested(weakening)), weakening.rows)
      expect(outcomesOf(proof)).toEqual(Object.fromEntries(weakening.rows.map((row) => [row, 'broken'])))
      expect(proof.ok).toBe(false)
      expect(code).toBe(exitCodes.unsupported)
    },
    timeoutMs,
  )

  test(
    'ends with 3 where the launcher itself refuses what is less than planned',
    async () => {
      const [open] = weakenings.filter(({ what }) => what === 'without a network of its own')
      const { code, proof } = await attackOn(weakenedBy(sandbox, open ?? {}), ['12'])
      expect(proof.adapters[0]?.rows[0]).toMatchObject({
        outcome: 'broken',
        because: [expect.stringContaining('"net.private"')],
      })
      expect(code).toBe(exitCodes.unsupported)
    },
    timeoutMs,
  )

  test(
    'ends with 3 where all instances would have one uid',
    async ({ skip }) => {
      if (!isRoot) skip('without root they have')
      let first: Launch['identity']
      const oneForAll = weakenedBy(none, {
        launch: (launch) => {
          first ??= launch.identity
          return { ...launch, identity: first }
        },
      })
      const { code, proof } = await attackOn(oneForAll, ['4'])
      expect(proof.adapters[0]?.rows[0]?.because.join()).toContain('in use')
      expect(code).toBe(exitCodes.unsupported)
    },
    timeoutMs,
  )

  test(
    'ends with 3 where nothing bounds what should be bounded',
    async ({ skip }) => {
      const { lost } = await sandbox.probe(machine)
      if (lost.some(({ capability }) => capability === 'res.pids')) skip('this machine bounds no processes')
      const unbounded = weakenedBy(sandbox, {
        launch: (launch) => ({ ...unseen(launch), resources: { memoryBytes: 512 * 1024 ** 2, processes: 1_000 } }),
      })
      const { code, proof } = await attackOn(unbounded, ['47', '60.attested'])
      expect(outcomesOf(proof)).toEqual({ '47': 'broken', '60.attested': 'broken' })
      expect(code).toBe(exitCodes.unsupported)
    },
    timeoutMs,
  )
})

test('a profile that lets namespaces be made gives none where bubblewrap forbids them', async () => {
  const nested = weakenedBy(namespace, { plan: (plan) => withProfile('nested', plan) })
  const { proof } = await attackOn(nested, ['28'])
  expect(outcomesOf(proof)).toEqual({ '28': 'stopped' })
}, 60_000)
