// Ways to weaken a launch: one thing left out or added, each with the rows of the attack corpus that must then get through. Shown on
// single rows through a launcher (weakened.test.ts), and on the whole command (command.test.ts).
import type { IsolationAdapter, Launch, LaunchPlan } from '../../src/isolation/adapter.ts'
import { namespace } from '../../src/isolation/namespace/index.ts'
import { sandbox } from '../../src/isolation/sandbox/index.ts'
import { compileProfile } from '../../src/seccomp/compileProfile.ts'
import { readProfile } from '../../src/seccomp/find.ts'

/** A level, the change to its plan or launch, and how the rows that prove what was taken away are numbered. */
export interface Weakening {
  readonly what: string
  readonly adapter: IsolationAdapter
  readonly rows: readonly string[]
  readonly plan?: (plan: LaunchPlan) => Promise<LaunchPlan> | LaunchPlan
  readonly launch?: (launch: Launch, plan: LaunchPlan) => Launch
  /** The capability that the launcher names when it looks at the weakened launch. */
  readonly attested?: string
}

const without =
  (...options: readonly string[]) =>
  (launch: Launch): Launch =>
    withOptions(launch, (list) => {
      const at = list.findIndex((_, index) => options.every((option, offset) => list[index + offset] === option))
      if (at < 0) throw new Error(`there is no ${options.join(' ')} to leave out`)
      return [...list.slice(0, at), ...list.slice(at + options.length)]
    })

/** Further options, behind all mounts and before the root is sealed. */
const withFurther =
  (...options: readonly string[]) =>
  (launch: Launch): Launch =>
    withOptions(launch, (list) => {
      const seal = list.findIndex((each, index) => each === '--remount-ro' && list[index + 1] === '/')
      return [...list.slice(0, seal), ...options, ...list.slice(seal)]
    })

/** bubblewrap reads them from the descriptor behind --args, each ended by a NUL. */
const withOptions = (launch: Launch, change: (list: readonly string[]) => readonly string[]): Launch => ({
  ...launch,
  descriptors: launch.descriptors.map((each) =>
    each.kind === 'content' && each.fd === argsDescriptor(launch)
      ? {
          ...each,
          content: Buffer.from(
            change(optionsOf(each.content))
              .map((option) => `${option}\0`)
              .join(''),
          ),
        }
      : each,
  ),
})

const argsDescriptor = ({ argv }: Launch): number => Number(argv[argv.indexOf('--args') + 1])
const optionsOf = (content: Uint8Array): readonly string[] =>
  Buffer.from(content).toString('utf8').split('\0').slice(0, -1)

/** The same options where everybody on the machine can read them. */
const onCommandLine = (launch: Launch): Launch => {
  const content = launch.descriptors.find(({ fd }) => fd === argsDescriptor(launch))
  if (content?.kind !== 'content') throw new Error('there are no options')
  const [program, , , ...rest] = launch.argv
  return { ...launch, argv: [program, ...optionsOf(content.content), ...rest] }
}

/**
 * The profile with a call taken out of its refusals, where what it does not name is allowed: an ancient call that nobody makes
 * takes its place. In the text, since its numbers are larger than those of JavaScript.
 */
const permitting =
  (call: string) =>
  async (plan: LaunchPlan): Promise<LaunchPlan> => {
    const { file, text: profile } = await readProfile('permissive', '/')
    if (!profile.includes(`"${call}"`) || profile.includes('"sysfs"')) throw new Error(`${call} is not refused`)
    return { ...plan, filter: await compileProfile(profile.replaceAll(`"${call}"`, '"sysfs"'), { file }) }
  }

/** Lets every call through: BPF_RET with SECCOMP_RET_ALLOW (seccomp(2)). */
const permittingAll = (plan: LaunchPlan): LaunchPlan => ({
  ...plan,
  filter: Buffer.from([0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]),
})

export const weakenings: readonly Weakening[] = [
  {
    what: 'with the processes of the machine in /proc',
    adapter: sandbox,
    rows: ['6.seen'],
    launch: withFurther('--ro-bind', '/proc', '/proc'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'without a process namespace',
    adapter: sandbox,
    rows: [],
    launch: without('--unshare-pid'),
    attested: 'pid.private',
  },
  {
    what: 'without a network of its own',
    adapter: sandbox,
    rows: ['12', '14.port', '15'],
    launch: without('--unshare-net'),
    attested: 'net.private',
  },
  {
    what: 'without an IPC namespace',
    adapter: sandbox,
    rows: ['66.seen'],
    launch: without('--unshare-ipc'),
    attested: 'ipc.private',
  },
  {
    what: 'with the shared memory of the machine',
    adapter: sandbox,
    rows: ['66.seen'],
    launch: withFurther('--bind', '/dev/shm', '/dev/shm'),
  },
  {
    what: 'with /proc/sys as the kernel has it',
    adapter: sandbox,
    rows: ['2'],
    launch: without('--ro-bind', '/proc/sys', '/proc/sys'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'with the addresses of the kernel',
    adapter: sandbox,
    rows: ['3'],
    launch: without('--ro-bind', '/dev/null', '/proc/kallsyms'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'with a directory of the machine',
    adapter: sandbox,
    rows: ['5.seen'],
    launch: withFurther('--ro-bind', '/var/log', '/var/log'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'with a root that can be written',
    adapter: sandbox,
    rows: ['74'],
    launch: without('--remount-ro', '/'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'with the devices of the machine',
    adapter: sandbox,
    rows: ['43.seen'],
    launch: withFurther('--dev-bind', '/dev', '/dev'),
    attested: 'fs.readOnlyRoot',
  },
  {
    what: 'with an environment for bubblewrap',
    adapter: sandbox,
    rows: ['8'],
    launch: (launch) => ({ ...launch, env: { LAUNCHER: 'not for tenants' } }),
  },
  { what: 'with its options on the command line', adapter: sandbox, rows: ['8'], launch: onCommandLine },
  {
    what: 'with a directory left open',
    adapter: sandbox,
    rows: ['10'],
    launch: (launch, plan) => ({
      ...launch,
      descriptors: [...launch.descriptors, { fd: 40, kind: 'path', path: plan.cwd }],
    }),
    attested: 'fd.clean',
  },
  {
    what: 'with a filter that lets all through',
    adapter: sandbox,
    rows: ['25.own', '26.parent', '32', '33', '34', '34.read', '35', '37'],
    plan: permittingAll,
  },
  { what: 'with io_uring', adapter: namespace, rows: ['32'], plan: permitting('io_uring_setup') },
  { what: 'with keyctl', adapter: namespace, rows: ['34', '34.read'], plan: permitting('keyctl') },
  { what: 'with ptrace', adapter: namespace, rows: ['26.parent'], plan: permitting('ptrace') },
  { what: 'with perf', adapter: namespace, rows: ['33'], plan: permitting('perf_event_open') },
  { what: 'with sockets of every family', adapter: namespace, rows: ['35'], plan: permitting('socket') },
  { what: 'with ioctl whole', adapter: namespace, rows: ['25.own'], plan: permitting('ioctl') },
  {
    what: 'with namespaces of its own, as "nested" asks',
    adapter: namespace,
    rows: ['28'],
    plan: async (plan) => ({ ...(await withProfile('nested', plan)), options: { nested: true } }),
  },
]

export const withProfile = async (name: string, plan: LaunchPlan): Promise<LaunchPlan> => {
  const { file, text: profile } = await readProfile(name, '/')
  return { ...plan, filter: await compileProfile(profile, { file }) }
}
