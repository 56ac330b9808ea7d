// The steps by which bubblewrap builds what an instance sees, as data. Two things are made of one list: the arguments that
// bubblewrap follows, and the mounts the kernel must then report (expectation.ts); they cannot drift apart.
// bubblewrap applies them strictly in order (bwrap(1)), so a list is also a sequence. Knows nothing of plans.
import type { Descriptor } from '../adapter.ts'

type WithoutNumber<D> = D extends unknown ? Omit<D, 'fd'> : never

/** A descriptor that has no number yet. */
export type Unnumbered = WithoutNumber<Descriptor>

export type Operation =
  /** A path of the machine that only root can have put there, shown read-only. */
  | { readonly kind: 'show'; readonly source: string; readonly at: string }
  /** What the launcher opened, shown at a path. */
  | { readonly kind: 'bind'; readonly source: string; readonly at: string; readonly isWritable: boolean }
  /** The cgroup that keeps one of the bounds, shown read-only. */
  | { readonly kind: 'cgroup'; readonly bound: 'memory' | 'cpu' | 'processes'; readonly at: string }
  | { readonly kind: 'tmpfs'; readonly at: string; readonly mode: number; readonly bytes: number }
  /** A file of its own in whatever is mounted there by then; no mount. */
  | { readonly kind: 'file'; readonly at: string; readonly mode: number; readonly from: Unnumbered }
  | { readonly kind: 'link'; readonly at: string; readonly target: string }
  | { readonly kind: 'proc' }
  | { readonly kind: 'devices' }
  /** What is mounted there is written no more. */
  | { readonly kind: 'seal'; readonly at: string }

/** Hands out descriptor numbers from `first` on and remembers what each is for. */
export class Numbering {
  readonly descriptors: Descriptor[] = []
  readonly #first: number

  constructor(first: number) {
    this.#first = first
  }

  give(descriptor: Unnumbered): string {
    const fd = this.#first + this.descriptors.length
    this.descriptors.push({ ...descriptor, fd })
    return String(fd)
  }
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')

type Renderers = {
  readonly [K in Operation['kind']]: (
    operation: Extract<Operation, { kind: K }>,
    numbering: Numbering,
  ) => readonly string[]
}

const renderers: Renderers = {
  show: ({ source, at }) => ['--ro-bind', source, at],
  bind: ({ source, at, isWritable }, numbering) => [
    isWritable ? '--bind-fd' : '--ro-bind-fd',
    numbering.give({ kind: 'path', path: source }),
    at,
  ],
  cgroup: ({ bound, at }, numbering) => ['--ro-bind-fd', numbering.give({ kind: 'cgroup', bound }), at],
  // --perms and --size hold for the one operation behind them (bwrap(1)).
  tmpfs: ({ at, mode, bytes }) => ['--perms', octal(mode), '--size', String(bytes), '--tmpfs', at],
  file: ({ at, mode, from }, numbering) => ['--perms', octal(mode), '--file', numbering.give(from), at],
  link: ({ at, target }) => ['--symlink', target, at],
  proc: () => ['--proc', '/proc'],
  devices: () => ['--dev', '/dev'],
  seal: ({ at }) => ['--remount-ro', at],
}

const render = <K extends Operation['kind']>(operation: Extract<Operation, { kind: K }>, numbering: Numbering) =>
  renderers[operation.kind as K](operation, numbering)

export const argumentsOf = (operations: readonly Operation[], numbering: Numbering): readonly string[] =>
  operations.flatMap((operation) => render(operation, numbering))

/**
 * The content of the descriptor behind --args: each argument ends with a NUL, so one that holds a NUL would be read as two,
 * and the second could be any option there is.
 */
export const joinArguments = (list: readonly string[]): Uint8Array => {
  const torn = list.find((each) => each.includes('\0'))
  if (torn !== undefined) throw new Error(`${JSON.stringify(torn)} holds a NUL byte, which no argument may`)
  return Buffer.from(list.map((each) => `${each}\0`).join(''), 'utf8')
}
