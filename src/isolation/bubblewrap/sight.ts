// What every instance under bubblewrap sees of the machine before it is granted anything, and what it has instead of the
// machine's. The list by which view.ts is checked and by which `tenement check` tells a path that cannot be had.
import type { Sight } from '../adapter.ts'

const roots = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']

export const sight: Sight = {
  shown: ['/usr', ...roots],
  own: ['/', '/usr', '/etc', '/proc', '/dev', '/dev/shm', '/tmp', '/run', '/run/secrets', '/var', '/var/tmp'],
  closed: ['/proc', '/sys', '/dev', '/run/secrets', '/var/tmp', ...roots],
}
