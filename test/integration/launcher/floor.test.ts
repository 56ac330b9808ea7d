// What a server that was taken over cannot have: an instance of a confined service with less than its isolation gives.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Launch } from '../../../src/isolation/adapter.ts'
import { bubblewrapFloor } from '../../../src/isolation/bubblewrap/floor.ts'
import { type Message, newRunName, startTestLauncher, type TestLauncher } from '../../helpers/launcher.ts'

describe('a server that was taken over', () => {
  let launcher: TestLauncher
  beforeEach(async () => {
    const confined = bubblewrapFloor({ network: 'private', limits: {}, options: {} })
    launcher = await startTestLauncher({ policy: { floors: { api: confined, 'api:open': {} } } })
  })
  afterEach(() => launcher.close())

  const launch = (over: Partial<Launch>, more: Record<string, unknown> = {}): Promise<Message> =>
    launcher.ask({
      ...{ type: 'launch', run: newRunName(), service: 'api', id: 'alice', launch: launcher.launchOf(over) },
      ...{ watch: false, note: null, ...more },
    })

  test('cannot start a plain process for a service that is confined', async () => {
    const limits = { memlock: 0, msgqueue: 0, nice: 0, rtprio: 0 }
    expect(await launch({ limits })).toMatchObject({
      code: 'refused',
      message: expect.stringMatching(/api:alice would be launched with less than its isolation gives: .*attested/),
    })
    expect(await launch({ limits }, { id: 'open' })).toMatchObject({ type: 'reply' })
  })

  test('cannot start a service that is not served', async () => {
    expect(await launch({}, { service: 'other' })).toMatchObject({
      code: 'refused',
      message: expect.stringContaining('there is no service "other"'),
    })
  })
})
