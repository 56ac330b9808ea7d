// The limits a confined process carries itself, beside what its cgroup bounds. Pure.
// Never one on address space: V8, the JVM and Go reserve many times what they use.
import type { Launch, LaunchPlan } from '../adapter.ts'

/** What the kernel gives a user without privileges, and no more (mlock(2), mq_overview(7), setpriority(2), sched(7)). */
const always: Launch['limits'] = { memlock: 64 * 1024, msgqueue: 819_200, nice: 0, rtprio: 0 }

/** Of tenement's own: bubblewrap's monitor and the first process of the namespace. */
const ownProcesses = 2

/**
 * The bound on processes is the cgroup's to keep; this is the belt to it where the uid is the tenant's alone. A uid that is
 * shared has one count for all that runs as it, so that neighbours would be refused for what somebody else started.
 */
export const limitsFor = ({ identity, limits }: Pick<LaunchPlan, 'identity' | 'limits'>): Launch['limits'] => ({
  ...always,
  ...(limits.openFiles === undefined ? {} : { nofile: limits.openFiles }),
  ...(limits.processes === undefined || identity === undefined ? {} : { nproc: limits.processes + ownProcesses }),
})
