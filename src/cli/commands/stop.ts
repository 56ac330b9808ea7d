// `tenement stop X`: ends an instance's processes; it stays reachable.
import { orderCommand } from '../order.ts'

export const stop = orderCommand('stop', {
  summary: 'Stop an instance and wait until its processes are gone',
  more: 'The next request wakes it again; to keep it down, use "tenement disable".',
  examples: [['tenement stop api:carol', 'requests in progress are given drain_timeout to end']],
})
