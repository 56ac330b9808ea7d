// What strace writes → the calls an instance made under its filter. strace is told to show numbers alone (-n -e raw=all), so it
// reads nothing of the instance's memory, and nothing that a tenant wrote stands in a line.
// The first two processes are the sandbox's own until they load the filter: what they call before that no filter decides.

/** A call as it was made, before anybody answered it. */
export interface Made {
  readonly number: number
  readonly args: readonly bigint[]
}

/** prctl(PR_SET_SECCOMP, …) by its number on each architecture (asm/unistd.h), which is how bubblewrap loads a filter. */
const prctlNumbers: Readonly<Record<string, number>> = { x64: 157, arm64: 167 }
const setSeccomp = 22n

const line = /^(\d+) +\[ *(\d+)\] (?!<\.\.\.)\S*?\((.*)$/
const numeral = /^-?(?:0x[0-9a-f]+|\d+)$/

/** "0x9, 0x7ffc, 0x1) = 0x1" and "0x9, 0x1 <unfinished ...>" → the arguments. */
const argumentsOf = (text: string): readonly bigint[] =>
  text
    .split(/\)| <unfinished/, 1)
    .flatMap((part) => part.split(', '))
    .filter((part) => numeral.test(part))
    .map((part) => BigInt.asUintN(64, BigInt(part)))

export interface Reader {
  /** The call a line tells of; undefined where it tells of none, or of one that was made before there was a filter. */
  read(line: string): Made | undefined
}

/** `first` is the namespace's first process, as the machine numbers it. */
export const createReader = (first: number, arch: string = process.arch): Reader => {
  const prctl = prctlNumbers[arch]
  /** The sandbox's own processes that have not loaded the filter yet; the second is the application, once it is seen. */
  const unfiltered = new Set([first])
  let isApplicationSeen = false

  const isFiltered = (pid: number): boolean => {
    if (!isApplicationSeen && pid !== first) {
      isApplicationSeen = true
      unfiltered.add(pid)
    }
    return !unfiltered.has(pid)
  }

  return {
    read: (text) => {
      const [, pidText, numberText, rest = ''] = line.exec(text) ?? []
      if (pidText === undefined) return undefined
      const pid = Number(pidText)
      const made = { number: Number(numberText), args: argumentsOf(rest) }
      if (isFiltered(pid)) return made
      if (made.number === prctl && made.args[0] === setSeccomp) unfiltered.delete(pid)
      return undefined
    },
  }
}
