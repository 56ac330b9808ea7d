import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const built = (path: string): string => fileURLToPath(new URL(`dist/${path}`, import.meta.url))

const unit = 'test/unit/**/*.test.ts'
const router = 'test/integration/router/*.test.ts'

export default defineConfig({
  test: {
    // As an author has it who installed tenement: what is built, not its sources.
    alias: { 'tenement/conformance': built('conformance/index.js'), 'tenement/plugin': built('plugin/index.js') },
    setupFiles: ['test/helpers/umask.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Twice the processors of a small machine: most tests wait for processes, and fewer of them would leave it idle.
    maxWorkers: 4,
    // A process for each file, and all imports anew, would take longer than many of the tests in it.
    isolate: false,
    // The many small files first, which share their imports best.
    projects: [
      { extends: true, test: { name: 'unit', include: [unit] } },
      { extends: true, test: { name: 'router', include: [router] } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts', 'examples/plugins/*/test/*.test.js'],
          exclude: [unit, router],
        },
      },
    ],
  },
})
