// A folder with the attack programs and what they need to make system calls, as a service would have it for its code.
import { chmodSync, cpSync, existsSync, mkdirSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The same from the sources as from what they are built to. */
const repository = fileURLToPath(new URL('../..', import.meta.url))
/** What koffi needs to run, and not what it is built from. */
const isNeeded = (path: string): boolean =>
  statSync(path).isDirectory() ? !/\/(vendor|doc)$/.test(path) : /\.(js|cjs|json|node)$/.test(path)

/** The folder of packages that koffi is in: of tenement's own, or of whoever installed it. */
const modulesWithKoffi = (): string => {
  const file = realpathSync(fileURLToPath(import.meta.resolve('koffi')))
  return file.slice(0, file.lastIndexOf('/koffi/'))
}

export const makeStage = (root: string): string => {
  const stage = join(root, 'stage')
  const modules = modulesWithKoffi()
  mkdirSync(join(stage, 'node_modules'), { recursive: true })
  chmodSync(stage, 0o755)
  cpSync(join(repository, 'dist', 'attack'), join(stage, 'attack'), { recursive: true, filter: isNeeded })
  for (const name of ['koffi', '@koromix'].filter((each) => existsSync(join(modules, each))))
    cpSync(join(modules, name), join(stage, 'node_modules', name), { recursive: true, filter: isNeeded })
  writeFileSync(join(stage, 'package.json'), '{"type":"module"}')
  return stage
}
