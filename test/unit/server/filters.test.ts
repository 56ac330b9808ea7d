// The filters the server makes at its start, by an adapter whose profile hangs on its options.
import { expect, test } from 'vitest'
import { readConfig } from '../../../src/config/load.ts'
import { flags } from '../../../src/isolation/options.ts'
import { makeFilters } from '../../../src/server/filters.ts'
import { adapterWith, surroundings } from '../check/fixtures.ts'

const jail = {
  ...adapterWith('jail', ['syscalls.filtered']),
  // Filled in where nothing is written, so that written options alone are not enough to know the profile.
  options: flags({ tight: true }),
  defaultsFor: (options: unknown) => ({
    network: 'host' as const,
    limits: {},
    seccomp: (options as { readonly tight?: boolean }).tight === true ? 'strict' : 'permissive',
  }),
}

const filtersFor = (lines: string) => {
  const text = `[service.api]\ncommand = "sh"\nisolation = "jail"\n${lines}\n`
  const { config } = readConfig({ file: '/srv/tenement.toml', text }, surroundings)
  return makeFilters(config, new Map([['jail', jail]]))
}

test('the profile in effect is the one the adapter has for the options as it reads them, and the filter is that profile', async () => {
  const silent = await filtersFor('')
  const written = await filtersFor('options = { tight = false }')
  expect([silent.profileOf('api'), written.profileOf('api')]).toEqual(['strict', 'permissive'])
  const strict = await filtersFor('seccomp = "strict"')
  expect(silent.filterOf('api')).toEqual(strict.filterOf('api'))
  expect(written.filterOf('api')).not.toEqual(strict.filterOf('api'))
})

test('a service whose filter cannot be made is told so whenever it is to start, and keeps no other service from starting', async () => {
  const text = ['api', 'web']
    .map((name) => `[service.${name}]\ncommand = "sh"\nisolation = "jail"\ndata = "{data_dir}/{name}/{id}"\n`)
    .join('')
  const { config } = readConfig({ file: '/srv/tenement.toml', text: `${text}seccomp = "gone"\n` }, surroundings)
  const filters = await makeFilters(config, new Map([['jail', jail]]))
  expect(() => filters.filterOf('web')).toThrow('no seccomp profile is called "gone"')
  expect(filters.filterOf('api')).toBeInstanceOf(Uint8Array)
})
