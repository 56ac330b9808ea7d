// Code that libraries load only when it is first used, loaded at the start instead: once the server has given up root it may no
// longer be able to open the files.
import { createRequire } from 'node:module'

/** undici compiles its HTTP parser from these at its first connection: the second where the processor lacks SIMD. */
const loadedAtFirstUse = ['undici/lib/llhttp/llhttp_simd-wasm.js', 'undici/lib/llhttp/llhttp-wasm.js']

/** Throws where a file is not there, as after an update of the library that moved it. */
export const loadWhatIsLoadedLater = (): void => {
  const require = createRequire(import.meta.url)
  for (const file of loadedAtFirstUse) require(file)
}
