// Which of the bounds a cgroup keeps, and which are looked after by measuring. Pure.
import type { Limits, Resources, Storage } from './adapter.ts'

const names = ['memoryBytes', 'cpus', 'cpuWeight', 'processes'] as const satisfies readonly (keyof Resources)[]

export const resourcesOf = (limits: Limits): Resources =>
  Object.fromEntries(names.flatMap((name) => (limits[name] === undefined ? [] : [[name, limits[name]]])))

/** Bytes for which one file is allowed: small files are common, empty ones by the million are not. */
const bytesPerFile = 4_096
const fewestFiles = 10_000

export const storageOf = ({ storageBytes }: Limits): { readonly storage?: Storage } =>
  storageBytes === undefined
    ? {}
    : { storage: { bytes: storageBytes, files: Math.max(Math.floor(storageBytes / bytesPerFile), fewestFiles) } }
