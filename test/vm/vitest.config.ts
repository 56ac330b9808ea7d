// What may run in the virtual machine, and how long it may take there. No test of it is part of `npm test`: they change settings of
// the kernel, which must be a virtual machine's.
import { defineConfig } from 'vitest/config'

// Many times what they take on idle processors: several machines run at once, and may share these with others.
export default defineConfig({
  test: {
    include: ['test/vm/*.vm.ts', 'test/**/*.test.ts'],
    setupFiles: ['test/helpers/umask.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    maxWorkers: 2,
  },
})
