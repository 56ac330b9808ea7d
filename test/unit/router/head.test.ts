import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type RequestHead, readHead } from '../../../src/router/head.ts'

const request = (changes: Partial<RequestHead> = {}): RequestHead => ({
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'a.example.com'],
  ...changes,
})
const withHeaders = (...more: string[]): RequestHead => request({ rawHeaders: ['Host', 'a.example.com', ...more] })

test('an ordinary request is read as it stands', () => {
  expect(readHead(request({ url: '//a/../b%2f?x#y' }))).toEqual({
    method: 'GET',
    host: 'a.example.com',
    path: '//a/../b%2f?x#y',
    hasBody: false,
  })
})

test('a body is there when a length above zero or chunks say so', () => {
  expect(readHead(withHeaders('Content-Length', '5'))).toMatchObject({ hasBody: true })
  expect(readHead(withHeaders('content-length', '000'))).toMatchObject({ hasBody: false })
  expect(readHead(withHeaders('Transfer-Encoding', 'CHUNKED'))).toMatchObject({ hasBody: true })
})

test.each([
  [['Content-Length', '5', 'Transfer-Encoding', 'chunked']],
  [['Content-Length', '5', 'content-length', '5']],
  [['Content-Length', '']],
  [['Content-Length', '-1']],
  [['Content-Length', '0x5']],
  [['Content-Length', '5 5']],
  [['Content-Length', '9007199254740992']],
  [['Transfer-Encoding', '']],
  [['Transfer-Encoding', 'identity']],
  [['Transfer-Encoding', 'chunked, chunked']],
  [['Transfer-Encoding', '\x0bchunked']],
  [['X', 'a\rb']],
  [['X', 'a\nb']],
  [['X', 'a\0b']],
  [['X\r\n', 'a']],
])('%j could be read in two ways and is refused', (headers) => {
  expect(readHead(withHeaders(...headers))).toBe('bad_request')
})

test('an absolute target must name the same host, and is made an origin one', () => {
  const read = (url: string) => readHead(request({ url }))
  expect(read('http://a.example.com/x?y')).toMatchObject({ path: '/x?y', host: 'a.example.com' })
  expect(read('HTTPS://A.EXAMPLE.COM')).toMatchObject({ path: '/' })
  expect(read('http://a.example.com?y')).toMatchObject({ path: '/?y' })
  expect(read('http://a.example.com//x')).toMatchObject({ path: '//x' })
  expect(read('http://b.example.com/')).toBe('bad_host')
  expect(read('http://a.example.com:80/')).toBe('bad_host')
  for (const url of ['http://u@a.example.com/', 'ftp://a.example.com/', 'http:///x', 'a.example.com:80', '*', '']) {
    expect(read(url)).toBe('bad_request')
  }
})

test('whatever the headers, exactly one Host is needed', () => {
  const name = fc.constantFrom('Host', 'host', 'HOST', 'X-Host', 'Hos', 'Accept')
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const rawHeaders = names.flatMap((each) => [each, 'a.example.com'])
      const hosts = names.filter((each) => each.toLowerCase() === 'host').length
      expect(readHead(request({ rawHeaders }))).toEqual(
        hosts === 1 ? expect.objectContaining({ path: '/' }) : 'bad_host',
      )
    }),
  )
})
