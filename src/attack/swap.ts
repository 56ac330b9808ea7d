// Exchanges two paths as fast as it can: whoever looks at one and then uses it finds another. Ends by itself in a minute.
import { call } from './kernel.ts'

const [, , one = '', other = ''] = process.argv
const workingDirectory = -100
const exchange = 2 // RENAME_EXCHANGE (renameat2(2)): there is no moment at which either is missing

for (const deadline = Date.now() + 60_000; Date.now() < deadline; )
  call('renameat2', workingDirectory, one, workingDirectory, other, exchange)
