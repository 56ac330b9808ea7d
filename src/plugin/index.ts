// 'tenement/plugin': all that the author of an adapter imports. The functions do what every adapter does alike for the way an
// instance is reached and for its bounds; an adapter may do it itself instead.
export type {
  Defaults,
  Descriptor,
  Directory,
  Expectation,
  Floor,
  FloorInputs,
  Grant,
  Identity,
  Launch,
  LaunchPlan,
  LimitName,
  Limits,
  Machine,
  Network,
  Probe,
  Reach,
  Resources,
  Sight,
  Storage,
  Strength,
} from '../isolation/adapter.ts'
export type { CapabilityName } from '../isolation/capabilities.ts'
export type { OptionIssue, OptionsResult, OptionsSchema } from '../isolation/options.ts'
export { descriptorsFor, socketDirectories, umaskFor, withListenPid } from '../isolation/reach.ts'
export { resourcesOf, storageOf } from '../isolation/resources.ts'
export { type AdapterDefinition, AdapterError, defineAdapter, type Nothing } from './definition.ts'
