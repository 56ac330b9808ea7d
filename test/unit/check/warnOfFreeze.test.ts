import { expect, test } from 'vitest'
import { warnOfFreeze } from '../../../src/check/warnOfFreeze.ts'
import { parseConfig } from '../../../src/config/load.ts'
import { surroundings } from './fixtures.ts'

const serviceWith = (line: string) => {
  const text = `[service.api]\ncommand = "/bin/true"\nisolation = "none"\n${line}\n`
  const service = parseConfig({ file: '/srv/tenement.toml', text }, surroundings).services.get('api')
  if (service === undefined) throw new Error('there is no service')
  return service
}

const absence = { reason: 'no cgroup file system is mounted', fix: 'mount one' }

test('a machine that cannot freeze is told of where a service asks for it, and nowhere else', () => {
  expect(warnOfFreeze(serviceWith('freeze_after = "1m"'), absence)).toEqual([
    {
      path: ['service', 'api', 'freeze_after'],
      message:
        'service.api.freeze_after is without effect on this machine, where instances stay ready instead: no cgroup file system is mounted',
      fix: 'mount one',
    },
  ])
  expect(warnOfFreeze(serviceWith(''), absence)).toEqual([])
  expect(warnOfFreeze(serviceWith('freeze_after = "1m"'), 'enforced')).toEqual([])
})
