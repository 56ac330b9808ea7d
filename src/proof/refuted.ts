// Plug-ins whose promises were found broken here: the last `check --attack` says so, and nothing it was made on has changed. Such a
// one is a plug-in that cannot be used, so its services are refused and nobody else's. What comes with tenement is warned of
// instead: nobody can mend it here. Pure.

import type { Isolation, PluginFault } from '../isolation/registry.ts'
import { changesBetween, type Fingerprint } from './fingerprint.ts'
import type { AttackRow } from './report.ts'
import type { Stored } from './store.ts'

/** Names of plug-ins with a broken promise in their last proof, whatever it was made on. */
export const accusedIn = ({ adapters }: Stored, plugins: Iterable<string>): readonly string[] =>
  [...plugins].filter((name) => Object.hasOwn(adapters, name) && (adapters[name]?.report.counts.broken ?? 0) > 0)

/** `plugins`: which of the adapters come from one. */
export const withoutRefuted = (
  { adapters, faults }: Isolation,
  { stored, plugins, now }: { readonly stored: Stored; readonly plugins: Iterable<string>; readonly now: Fingerprint },
): Isolation => {
  const refuted = accusedIn(stored, plugins).flatMap((name): [string, PluginFault][] => {
    const proof = stored.adapters[name]
    if (proof === undefined || changesBetween(proof.fingerprint, now).length > 0) return []
    return [[name, faultOf(proof.report.rows.filter(({ outcome }) => outcome === 'broken'))]]
  })
  const names = new Set(refuted.map(([name]) => name))
  return {
    adapters: new Map([...adapters].filter(([name]) => !names.has(name))),
    faults: new Map([...faults, ...refuted]),
  }
}

const faultOf = (broken: readonly AttackRow[]): PluginFault => {
  const [first, ...others] = broken
  const what = first && `: row ${first.row} of ${first.promisedBy.join(', ')}, "${first.sentence}"`
  const more = others.length === 0 ? '' : `, and ${others.length} more`
  return {
    reason: `its last proof on this machine found ${broken.length} broken${what ?? ''}${more}`,
    fix: 'mend the plug-in or have it promise less, then run "tenement check --attack" again; its services wait until that finds nothing',
  }
}
