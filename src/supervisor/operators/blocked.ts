// How often an instance's filter refused it something, which no kernel tells of filters as bubblewrap loads them. Measured: a refusal
// by errno reaches the audit subsystem only from a filter that was loaded with SECCOMP_FILTER_FLAG_LOG (seccomp(2)), and
// bubblewrap loads by prctl(PR_SET_SECCOMP), which takes no flags and gives nobody a descriptor to be notified on. With the
// flag each refusal would pass through the machine's one audit queue, which a tenant could fill to hide what others do.
import type { BlockedCalls } from '../../control/operations.ts'

export const notCounted: BlockedCalls = {
  counts: null,
  absent:
    'the kernel does not tell: bubblewrap loads filters by prctl, without SECCOMP_FILTER_FLAG_LOG and without a listener; "tenement trace" counts what is refused while it watches',
}
