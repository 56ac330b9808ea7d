import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const built = (path: string): string => fileURLToPath(new URL(`dist/${path}`, import.meta.url))

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'examples/plugins/*/test/*.test.js'],
    // As an author has it who installed tenement: what is built, not its sources.
    alias: { 'tenement/conformance': built('conformance/index.js'), 'tenement/plugin': built('plugin/index.js') },
    setupFiles: ['test/helpers/umask.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: 2,
  },
})
