// What the command line tells the server process, by way of a launcher that does not read it: the config as text, so that a
// server started later serves what was checked at first, whatever the file holds by then.
import type { Surroundings } from '../config/surroundings.ts'

export interface ServerSettings {
  readonly configFile: string
  readonly configText: string
  readonly surroundings: Surroundings
  /** Services that this machine cannot run, each with the reason: their requests are refused, the others run. */
  readonly unrunnable: Readonly<Record<string, string>>
  /** Promises that this machine cannot keep and that services go without because they accept it, by service. */
  readonly givenUp: Readonly<Record<string, readonly string[]>>
  /** What the last `check --attack` showed of the isolations in use, as the command line found it: only its own user may read it. */
  readonly lastProof: { readonly line: string; readonly broken: number | null }
}
