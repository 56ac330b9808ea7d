// `tenement pause X`: nothing of an instance runs while its operator works on it, and its clients wait.
import { orderCommand } from '../order.ts'

export const pause = orderCommand('pause', {
  summary: 'Stop an instance and hold requests to it',
  more: 'Requests in progress get drain_timeout to end, then its processes are stopped, so that its data can be worked on: it is at rest when this returns. New requests wait up to hold_timeout and are then answered with 503 "paused". Nothing starts it until "tenement resume", not even a restart of the server.',
  examples: [
    ['tenement pause api:carol', 'at rest when it returns; clients wait'],
    ['tenement resume api:carol', 'those that still wait are answered'],
  ],
})
