// Server-Timing on answers of instances: only where the operator wants it, and never in place of the instance's own.
import { afterEach, describe, expect, test } from 'vitest'
import { answering, ask, cleanUp, endpointAt, get, hostOf, startRouter } from './harness.ts'

afterEach(cleanUp)

const own = 'HTTP/1.1 200 OK\r\nServer-Timing: db;dur=53\r\nContent-Length: 2\r\n\r\nhi'
const ours = /^Server-Timing: tn-queue;dur=(\d+\.\d), tn-wake;dur=(\d+\.\d), tn-app;dur=(\d+\.\d)$/gm
const waited = { queueMs: 12.34, wakeMs: 250 }

describe('the answer of an instance', () => {
  test('tells how long the request waited, beside what the instance tells itself', async () => {
    const { port } = await answering(own)
    const router = await startRouter(endpointAt(port), { waited, exposeTiming: true })
    const answer = await ask(router.port, get())
    expect(answer).toMatch(/^Server-Timing: db;dur=53\r$/m)
    const [told, ...more] = [...answer.replaceAll('\r', '').matchAll(ours)]
    expect(more).toEqual([])
    expect(told?.slice(1, 3)).toEqual(['12.3', '250.0'])
    expect(router.answers()).toBe(1)
  })

  test('carries nothing of tenement where timing is not exposed', async () => {
    const { port } = await answering(own)
    const router = await startRouter(endpointAt(port), { waited })
    const answer = await ask(router.port, get())
    expect(answer).toMatch(/^Server-Timing: db;dur=53\r$/m)
    expect(answer).not.toMatch(/tn-|tenement/)
  })

  test('tells it on the switch to another protocol too', async () => {
    const { port } = await answering(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n\r\n',
      true,
    )
    const router = await startRouter(endpointAt(port), { waited, exposeTiming: true })
    const asked = `GET / HTTP/1.1\r\nHost: ${hostOf}\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n`
    expect(await ask(router.port, asked)).toMatch(/^Server-Timing: tn-queue;dur=12\.3, /m)
  })
})

test("tenement's own answers carry no timing", async () => {
  const router = await startRouter(undefined, { waited, exposeTiming: true })
  const answer = await ask(router.port, get().replace(hostOf, 'nobody.example.org'))
  expect(answer).toMatch(/^x-tenement-reason: unknown_host\r$/m)
  expect(answer).not.toMatch(/server-timing/i)
})
