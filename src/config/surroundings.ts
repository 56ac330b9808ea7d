// What the config's defaults depend on beside the file: who runs tenement, on how many processors, in which environment.
// Everything else in this folder takes it as an argument and never asks the process itself.
import { availableParallelism, homedir } from 'node:os'

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder tenement was started in. */
  readonly cwd: string
  readonly home: string
  readonly isRoot: boolean
  readonly processors: number
}

/** The surroundings of this process, now. */
export const currentSurroundings = (): Surroundings => ({
  env: process.env,
  cwd: process.cwd(),
  home: homedir(),
  isRoot: process.geteuid?.() === 0,
  processors: availableParallelism(),
})
