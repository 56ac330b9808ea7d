// `tenement wake X`: starts an instance without a request, and waits until it is ready.
import { orderCommand } from '../order.ts'

export const wake = orderCommand('wake', {
  summary: 'Start an instance and wait until it is ready',
  more: 'It falls asleep again after idle_timeout, as after any use.',
  examples: [['tenement wake api:carol', 'returns when requests would be answered at once']],
})
