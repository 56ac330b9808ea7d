import { afterEach, describe, expect, it } from 'vitest'
import { meantInstance, withSuggestions } from '../../../src/cli/suggestNames.ts'
import { connectControl } from '../../../src/control/client.ts'
import { parseInstance } from '../../../src/names.ts'
import { carol, instanceStatus, type RunningControl, scriptedOperations, startControl } from '../control/scripted.ts'

const names = (...written: readonly string[]) => written.flatMap((each) => parseInstance(each) ?? [])

describe('the instance that was probably meant', () => {
  it.each([
    ['api:carl', 'api:carol'],
    ['apii:carol', 'api:carol'],
    ['apii:carl', 'api:carol'],
    ['web:carol', undefined],
    ['api:bo', undefined],
    ['payroll:carol', undefined],
  ])('by %s is %s', (written, meant) => {
    const [name] = names(written)
    if (name === undefined) throw new Error('no name')
    expect(meantInstance(name, names('api:carol', 'api:zoe', 'web:main'))).toBe(meant)
  })
})

describe('a client of the command line', () => {
  let control: RunningControl
  afterEach(() => control.close())

  const orders = ['status', 'why', 'wake', 'stop', 'restart', 'enable', 'disable', 'pause', 'resume'] as const

  it('names the one that was meant when it is asked about one that there is not', async () => {
    control = await startControl({ operations: scriptedOperations([instanceStatus(carol)]) })
    const client = withSuggestions(connectControl(control.socketPath))
    const carl = { service: 'api', id: 'carl' }
    const meant = {
      code: 'unknown_instance',
      message: 'there is no instance api:carl',
      fix: 'did you mean "api:carol"?',
    }
    for (const order of orders) await expect(client[order](carl), order).rejects.toMatchObject(meant)
    await expect(client.remove(carl, { purge: false })).rejects.toMatchObject(meant)
    await expect(client.trace(carl, { restart: false })).rejects.toMatchObject(meant)
    await expect(client.wait(carl, { phase: 'ready', timeout: '1s' })).rejects.toMatchObject(meant)
    const logs = client.logs(carl, { lines: 1, follow: false })[Symbol.asyncIterator]()
    await expect(logs.next()).rejects.toMatchObject(meant)
  })

  it('leaves the error as it is where nothing is near', async () => {
    control = await startControl({ operations: scriptedOperations([instanceStatus(carol)]) })
    const client = withSuggestions(connectControl(control.socketPath))
    await expect(client.status({ service: 'api', id: 'zoe' })).rejects.toMatchObject({ fix: 'tenement add api:zoe' })
  })
})
