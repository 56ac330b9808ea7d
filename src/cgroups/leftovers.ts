// What an earlier launcher of the same run directory left in its trees. The name of a tree proves whose it is, so everything found
// there may be ended; a run that could not be is named to the caller, who knows its processes in other ways too.
import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { becomes, tryRemove } from './files.ts'
import { killAllIn, type SignalIf } from './kill.ts'
import { type Place, placeIn } from './places.ts'
import { isTree, type Tree, type Trees } from './tree.ts'

const killTimeoutMs = 2_000
const removeTimeoutMs = 500

const runsIn = (tree: Tree): readonly Place[] =>
  readdirSync(tree.directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => placeIn(tree, name))

/** Resolves with the runs that still hold processes; all others are gone. */
export const removeLeftoversOf = async (
  trees: readonly Tree[],
  kill: Trees['kill'],
  signalIf: SignalIf,
): Promise<readonly string[]> => {
  if (isTree(kill)) await Promise.all(runsIn(kill).map((place) => killAllIn(place, signalIf, killTimeoutMs)))
  const found = trees.flatMap(runsIn).map((place) => place.directory)
  const removed = await Promise.all(found.map((each) => becomes(() => tryRemove(each), removeTimeoutMs)))
  return [...new Set(found.filter((_, index) => !removed[index]).map((each) => basename(each)))]
}
