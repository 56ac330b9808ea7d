import { describe, expect, test } from 'vitest'
import { resolversOf } from '../../../../src/isolation/bubblewrap/resolvers.ts'

describe('the nameservers an instance with a way out can ask', () => {
  test.each([
    [
      'are those of resolv.conf, three at most',
      ['nameserver 10.0.0.2\nnameserver 2001:db8::1\nnameserver 9.9.9.9\nnameserver 8.8.8.8\n'],
      ['10.0.0.2', '2001:db8::1', '9.9.9.9'],
    ],
    [
      'are never on loopback',
      ['nameserver 127.0.0.53\nnameserver ::1\nnameserver 127.1.2.3\nnameserver 0.0.0.0\nnameserver 9.9.9.9'],
      ['9.9.9.9'],
    ],
    ['are those behind a stub on loopback', ['nameserver 127.0.0.53\n', 'nameserver 10.0.0.2\n'], ['10.0.0.2']],
    ['are not looked for behind one that can be asked', ['nameserver 9.9.9.9\n', 'nameserver 10.0.0.2\n'], ['9.9.9.9']],
    [
      'are not what a comment or another line says',
      ['# nameserver 9.9.9.9\nsearch example.com\nnameservers 1.1.1.1\nnameserver example.com\n'],
      [],
    ],
    ['are none where there is no file', ['', ''], []],
  ] as const)('%s', (_, texts, found) => {
    expect(resolversOf(texts)).toEqual(found)
  })
})
