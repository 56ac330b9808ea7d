// Holding everything in one cgroup still, and letting it go on. Memory, descriptors and connections stay as they are, and
// nothing in it gets processor time. It is the hierarchy that kills which freezes too: the freezer of version 1, or version 2.
import type { Place } from './places.ts'

/**
 * Gives the order, which the kernel carries out for each process as soon as that is not in the middle of a system call; one that
 * is started meanwhile is held as well. False where the kernel knows no such order (version 2 before Linux 5.2).
 */
export const setFrozenIn = ({ tree, directory }: Place, isFrozen: boolean): boolean => {
  try {
    tree.version.setFrozen(directory, isFrozen)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
