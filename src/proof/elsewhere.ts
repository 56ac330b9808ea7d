// Rows of the attack corpus that are about tenement's own parts and not about an adapter: shown by the project's own tests, with a
// whole tenement, on every change. They are told, so that nobody takes what is not listed for proved.
import type { AttackRow } from './report.ts'

const elsewhere: Readonly<Record<string, readonly [sentence: string, where: string]>> = {
  '17': ['leads no request elsewhere by a symlink in the place of its socket', 'test/attack/leads.test.ts'],
  '18': [
    'leads no request elsewhere by a hard link, a FIFO or a file in the place of its socket',
    'test/attack/leads.test.ts',
  ],
  '20': ['is shown nothing that a neighbour put in the place of what it was granted', 'test/attack/leads.test.ts'],
  '22': ['leads no request elsewhere by swapping its socket as fast as it can', 'test/attack/leads.test.ts'],
  '60': ['never runs without its bounds because the launcher died', 'test/integration/launcher'],
  '61': ['is not taken for another by a process number that was given out again', 'test/attack/ends.test.ts'],
  '72': ['reaches no other tenant by the way it answers', 'test/integration/router'],
  '73': ['fills no memory by an answer without end', 'test/integration/router'],
  '80': ['is not confined by a plug-in that promises what it lacks', 'this very run, of a plug-in'],
}

export const elsewhereRows: readonly AttackRow[] = [
  ...Object.entries(elsewhere).map(
    ([row, [sentence, where]]): AttackRow => ({
      ...{ row, sentence, network: null, outcome: 'not run', promisedBy: [] },
      because: [`it is not the adapter's to keep: shown by the project's tests (${where})`],
    }),
  ),
  {
    ...{
      row: '71',
      sentence: 'gets past no proxy by what a name leads to',
      network: null,
      outcome: 'not run',
      promisedBy: [],
    },
    because: ['tenement has no proxy for ways out: a network leads to the internet whole, or nowhere'],
  },
]
