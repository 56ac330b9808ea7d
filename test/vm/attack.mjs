// What `tenement check --attack` does on a machine without a config, less the rows that show in a virtual machine what they show on any:
// tenement's own care with files, names and output, which neither cgroups nor the kernel have a part in. `npm test` has them all.
// Tells each row that is not stopped; ends with 3 where a promise is broken, as the command does.

import { checkMachine } from '../../dist/cli/checkConfig.js'
import { formatProof } from '../../dist/cli/formatAttack.js'
import { prove } from '../../dist/proof/prove.js'

/** Symlinks that were planted, trees too deep to remove, names and requests, ports, floods of output, and the size of a tmpfs. */
const alike = ['9', '19', '21', '50', '52', '53', '68', '79']

const { adapters, probes, close } = await checkMachine('all')
const suspects = [...probes].flatMap(([name, probe]) => {
  const adapter = adapters.get(name)
  return adapter === undefined ? [] : [{ adapter, probe, only: (/** @type {string} */ row) => !alike.includes(row) }]
})
const proof = await prove(suspects, {}).finally(close)
console.log(formatProof(proof, { columns: 120, paint: (/** @type {string} */ _, /** @type {string} */ text) => text }))
process.exitCode = proof.ok ? 0 : 3
