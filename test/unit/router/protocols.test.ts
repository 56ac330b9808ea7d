import { expect, test } from 'vitest'
import { protocolsOf } from '../../../src/router/protocols.ts'

const asked = (rawHeaders: string[], httpVersion = '1.1'): string | undefined =>
  protocolsOf({ httpVersion, rawHeaders })

test('an upgrade is what Connection and Upgrade ask for together', () => {
  expect(asked(['Connection', 'keep-alive, UPGRADE', 'Upgrade', 'websocket'])).toBe('websocket')
  expect(asked(['connection', 'upgrade', 'upgrade', 'a/1, h2c', 'Upgrade', 'b'])).toBe('a/1, b')
  expect(asked(['Upgrade', 'websocket'])).toBeUndefined()
  expect(asked(['Connection', 'upgrade'])).toBeUndefined()
  expect(asked(['Connection', 'upgrade', 'Upgrade', 'websocket'], '1.0')).toBeUndefined()
})

test('no other HTTP and no TLS is asked for, in any spelling', () => {
  for (const protocol of ['h2c', 'H2C', ' h2 ', 'h3', 'HTTP/2.0', 'http', 'TLS/1.3', 'tls', ',', '']) {
    expect(asked(['Connection', 'upgrade', 'Upgrade', protocol])).toBeUndefined()
  }
})

test('an upgrade with a body is none', () => {
  const upgrade = ['Connection', 'upgrade', 'Upgrade', 'websocket']
  expect(asked([...upgrade, 'Content-Length', '0'])).toBe('websocket')
  expect(asked([...upgrade, 'Content-Length', '1'])).toBeUndefined()
  expect(asked([...upgrade, 'Transfer-Encoding', 'chunked'])).toBeUndefined()
})
