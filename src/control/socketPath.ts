// Where the control socket is, below settings.run_dir: the launcher makes it there and the command line looks for it there.
import { join } from 'node:path'

export const controlSocketPath = (runDir: string): string => join(runDir, 'control.sock')
