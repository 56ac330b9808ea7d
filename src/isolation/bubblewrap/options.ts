// What bubblewrap is told, as one content of a descriptor: separation from the machine, environment, view, and the two
// things that come last, the filter and the gate. Pure. What is in the view is view.ts.
import type { Descriptor, LaunchPlan } from '../adapter.ts'
import { innerUid } from './etcFiles.ts'
import { instanceId } from './instanceId.ts'
import { argumentsOf, joinArguments, Numbering, type Operation } from './operations.ts'

/** Where every distribution that packages it puts it; AppArmor's profile for it is bound to this path. */
export const bubblewrap = '/usr/bin/bwrap'

/** Descriptor 3 is the application's listener, so ours begin behind it. */
const firstDescriptor = 10

export interface OptionInputs extends Pick<LaunchPlan, 'network' | 'instance' | 'env' | 'cwd'> {
  readonly isNested: boolean
  readonly view: readonly Operation[]
  readonly filter: Uint8Array
}

/** The few arguments that name the descriptor behind which all others are, and the descriptors. */
export const bubblewrapOptions = (
  inputs: OptionInputs,
): { readonly options: readonly string[]; readonly descriptors: readonly Descriptor[] } => {
  const numbering = new Numbering(firstDescriptor)
  const list = [
    ...separation(inputs),
    ...environment(inputs),
    ...argumentsOf(inputs.view, numbering),
    ...['--chdir', inputs.cwd],
    ...['--seccomp', numbering.give({ kind: 'content', content: inputs.filter })],
    ...['--block-fd', numbering.give({ kind: 'gate' })],
  ]
  const fd = numbering.give({ kind: 'content', content: joinArguments(list) })
  return { options: ['--args', fd], descriptors: numbering.descriptors }
}

/**
 * Each namespace by its own option: --unshare-all leaves out silently what it cannot have (bwrap(1)). There is no --as-pid-1,
 * under which the application would have to reap and ignore SIGTERM by default, and no --die-with-parent: instances outlive us.
 */
const separation = ({ network, instance, isNested }: OptionInputs): readonly string[] => [
  ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup'],
  ...(network === 'host' ? [] : ['--unshare-net']),
  ...(isNested ? [] : ['--disable-userns']),
  ...['--uid', String(innerUid), '--gid', String(innerUid), '--hostname', instanceId(instance)],
  ...['--new-session', '--cap-drop', 'ALL'],
]

const environment = ({ env }: OptionInputs): readonly string[] => [
  '--clearenv',
  ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
]
