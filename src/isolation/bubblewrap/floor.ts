// The least that every launch under bubblewrap comes with: what launch.ts always gives, told once more for the launcher, which
// holds a server that was taken over to it. Pure.
import type { Floor, FloorInputs } from '../adapter.ts'
import { resourcesOf, storageOf } from '../resources.ts'
import { unreachableFor } from '../unreachable.ts'
import { devices } from './expectation.ts'
import { namespacesFor } from './launch.ts'
import { showable } from './layout.ts'
import { limitsFor } from './limits.ts'
import { bubblewrap } from './options.ts'
import { uplink } from './pasta.ts'

export const bubblewrapFloor = ({ network, limits }: FloorInputs): Floor => ({
  resources: resourcesOf(limits),
  // Without an identity: the limit that depends on whose uid it is comes on top.
  limits: limitsFor({ identity: undefined, limits }),
  ...storageOf(limits),
  confined: {
    program: bubblewrap,
    depth: 2,
    namespaces: namespacesFor(network),
    isFiltered: true,
    shown: showable,
    devices,
    // The machine's own addresses change; the launcher adds those of the moment.
    ...(network === 'internet' ? { uplink, unreachable: unreachableFor({}) } : {}),
  },
})
