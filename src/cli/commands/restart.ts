// `tenement restart X`: a fresh process for an instance; requests that come meanwhile wait for it.
import { orderCommand } from '../order.ts'

export const restart = orderCommand('restart', {
  summary: 'Stop an instance, start it and wait until it is ready',
  more: 'Requests that arrive meanwhile are held and not failed.',
  examples: [['tenement restart api:carol', 'requests in progress are given drain_timeout to end']],
})
