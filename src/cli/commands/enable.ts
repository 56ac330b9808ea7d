// `tenement enable X`: takes back `disable`, and forgets that an instance crashed too often.
import { orderCommand } from '../order.ts'

export const enable = orderCommand('enable', {
  summary: 'Let a disabled or crashlooped instance wake again',
  more: 'It is not started: the next request does that, or "tenement wake".',
  examples: [['tenement enable api:carol', 'its next request is answered again']],
})
