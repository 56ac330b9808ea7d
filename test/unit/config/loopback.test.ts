import { describe, expect, it } from 'vitest'
import { isLoopback } from '../../../src/config/addresses.ts'
import { loopbackAddress } from '../../../src/config/networkKinds.ts'

describe('an address of this machine alone', () => {
  it.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['127.8.0.1:9464', { host: '127.8.0.1', port: 9464 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
    ['[0:0:0:0:0:0:0:1]:9464', { host: '0:0:0:0:0:0:0:1', port: 9464 }],
    [9464, { host: '127.0.0.1', port: 9464 }],
  ])('is %j', (written, read) => {
    expect(loopbackAddress().parse(written)).toEqual(read)
  })

  it.each([
    ':9464',
    '0.0.0.0:9464',
    '[::]:9464',
    '192.168.0.1:9464',
    '10.0.0.1:9464',
    '[::ffff:127.0.0.1]:9464',
    'localhost:9464',
    'example.com:9464',
    '127.0.0.1.example.com:9464',
    '127.0.0.1',
    '127.0.0.1:99999',
    'yes',
  ])('is not %j, which is refused with what would be one', (written) => {
    const { error } = loopbackAddress().safeParse(written)
    expect(error?.issues.map(({ message }) => message)).toEqual([
      'must be an address of this machine alone with a port, such as "127.0.0.1:9464" or "[::1]:9464"',
    ])
  })

  it('is not the name of one', () => {
    expect(isLoopback('127.example.com')).toBe(false)
  })
})
