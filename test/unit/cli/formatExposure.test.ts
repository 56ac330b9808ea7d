import { expect, test } from 'vitest'
import type { Exposure } from '../../../src/check/exposure/exposure.ts'
import { formatExposures } from '../../../src/cli/formatExposure.ts'

const exposure: Exposure = {
  score: 6.8,
  tenant: 'eve',
  terms: [
    {
      ...{ term: 'write', points: 0.4949, of: 0.5, exposes: 'may write beyond its data: /srv\u001b[2J' },
      ...{ because: 'all instances of the service write there', fix: 'take it out of service.api.write' },
    },
    { term: 'disk.quota', points: 0.08, of: 0.16, exposes: 'may fill the disk', because: 'it is full', fix: undefined },
  ],
}

const format = (exposures: [string, Exposure][], columns?: number): string =>
  formatExposures({ exposures: new Map(exposures) }, { paint: (style, text) => `<${style}>${text}</>`, columns })

test('the parts of a score are listed as they come, with reason and fix, and without control characters', () => {
  expect(format([['api', exposure]]).split('\n')).toEqual([
    'api:eve is exposed by <red>6.8</> of 10: high',
    '<bold>POINTS</>  <bold>OF</>    <bold>AN INSTANCE</>',
    '0.49    0.50  may write beyond its data: /srv\\u001b[2J',
    '              <dim>all instances of the service write there</>',
    '              → take it out of service.api.write',
    '0.08    0.16  may fill the disk',
    '              <dim>it is full</>',
  ])
})

test('a service that exposes nothing has no table', () => {
  expect(format([['api', { score: 0, tenant: undefined, terms: [] }]])).toBe(
    'api is exposed by <green>0.0</> of 10: low',
  )
})

test('lines are broken where the terminal ends', () => {
  const plain = format([['api', exposure]], 60).replace(/<\/?\w*>/g, '')
  expect(Math.max(...plain.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60)
})
