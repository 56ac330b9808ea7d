import { expect, test } from 'vitest'
import { parseConfig } from '../../../src/config/load.ts'
import type { IsolationAdapter } from '../../../src/isolation/adapter.ts'
import { adapterWith, findingsOf, machine, surroundings } from './fixtures.ts'

const warningsWith = async (adapter: IsolationAdapter) => {
  const text = '[service.api]\ncommand = "/bin/true"\nisolation = "mine"\n'
  const config = parseConfig({ file: '/srv/tenement.toml', text }, surroundings)
  return (await findingsOf(config, new Map([['mine', adapter]]), machine)).warnings
}

test('an isolation that sets no floor is warned of, and keeps nothing from running', async () => {
  const { floorFor: _, ...silent } = adapterWith('mine', [])
  expect(await warningsWith(silent)).toMatchObject([
    {
      key: 'service.api.isolation',
      message:
        'isolation "mine" sets no floor: a server that was taken over could start service.api with less confinement than this',
    },
  ])
  expect(await warningsWith(adapterWith('mine', []))).toEqual([])
})
