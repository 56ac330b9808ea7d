// `tenement resume X`: takes back `pause`.
import { orderCommand } from '../order.ts'

export const resume = orderCommand('resume', {
  summary: 'Let a paused instance wake again',
  more: 'It is started at once where requests wait for it, else by the next one. Its crashes still count; "tenement enable" forgives them.',
  examples: [['tenement resume api:carol', 'those that still wait are answered']],
})
