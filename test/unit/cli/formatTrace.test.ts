import { expect, test } from 'vitest'
import { formatTrace } from '../../../src/cli/formatTrace.ts'

const danger = 'runs programs inside the kernel'
const traced = { written: 'api:carol', seconds: 59.6, base: 'strict', ranUnder: 'permissive', file: '/etc/carol.json' }
const empty = { profile: '{}', made: [{ name: 'read', count: 3 }], added: [], undecided: [], refused: [] }

test('a trace tells what was blocked and how often, what was added, and what is left to a person', () => {
  const proposal = {
    ...empty,
    added: [{ name: 'bpf', count: 1, examples: ['0x5'], danger }],
    undecided: [{ name: 'ioctl', count: 2, examples: ['0x3, 0x5404', '0x4, 0x5404'], danger: null }],
    refused: [{ name: 'io_uring_setup', count: 12, examples: [], danger: null }],
  }
  expect(formatTrace(proposal, traced)).toBe(`api:carol made 3 calls of 1 kinds in 60 s, under "permissive"
added to "strict", as it used them:
  bpf x1: runs programs inside the kernel
"strict" decides these by their arguments, and refuses them; allow by hand what must be:
  ioctl x2: (0x3, 0x5404), (0x4, 0x5404)
blocked by "permissive", and not added:
  io_uring_setup x12
→ give a reason for each REASON NEEDED: tenement seccomp lint /etc/carol.json
→ seccomp = "/etc/carol.json" in its service, then use it once more`)
})

test('a trace that added nothing asks for no reason, and one without a file says how to get one', () => {
  const told = formatTrace(empty, { ...traced, file: undefined })
  expect(told).not.toContain('REASON')
  expect(told).toContain('-o FILE')
})
