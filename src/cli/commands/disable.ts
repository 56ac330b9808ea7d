// `tenement disable X`: keeps an instance down, across restarts, until it is enabled.
import { orderCommand } from '../order.ts'

export const disable = orderCommand('disable', {
  summary: 'Stop an instance and refuse requests to it',
  more: 'Requests are answered with 503 until "tenement enable"; its data stays.',
  examples: [['tenement disable api:carol', 'stopped, and not woken by anything']],
})
