import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { SlowReader } from '../../../src/router/slowReader.ts'

const pace = { bytes: 1_000, windowMs: 60_000 }

/** A socket whose other side takes what a test says. */
class Pipe extends EventEmitter {
  bytesWritten = 0
  writableLength = 0
  #isToDrain = false
  readonly onSlow = vi.fn()
  readonly reader = new SlowReader(this as unknown as Socket, pace, this.onSlow)

  /** `isHeldBack`: whoever writes is told to wait until all is taken. */
  write(bytes: number, isHeldBack = false): void {
    this.reader.note()
    this.bytesWritten += bytes
    this.writableLength += bytes
    this.#isToDrain ||= isHeldBack
    this.reader.note()
  }

  take(bytes = this.writableLength): void {
    this.writableLength -= bytes
    if (this.writableLength > 0 || !this.#isToDrain) return
    this.#isToDrain = false
    this.emit('drain')
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const pass = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms))

test('one who takes nothing for a whole window is too slow, and that is said once', async () => {
  const pipe = new Pipe()
  pipe.write(50_000)
  await pass(59_000)
  expect(pipe.onSlow).not.toHaveBeenCalled()
  await pass(2_000)
  expect(pipe.onSlow).toHaveBeenCalledTimes(1)
  pipe.write(1)
  await pass(200_000)
  expect(pipe.onSlow).toHaveBeenCalledTimes(1)
  expect(vi.getTimerCount()).toBe(0)
})

test.each([
  [999, 1],
  [1_000, 0],
])(
  'one who takes %i bytes in each window of which something always waits is too slow %i times',
  async (bytes, times) => {
    const pipe = new Pipe()
    pipe.write(50_000)
    for (let window = 0; window < 10; window += 1) {
      await pass(10_000)
      pipe.take(bytes)
      await pass(50_000)
    }
    await pass(1)
    expect(pipe.onSlow).toHaveBeenCalledTimes(times)
  },
)

test('what somebody took in one window does not count in the next', async () => {
  const pipe = new Pipe()
  pipe.write(50_000)
  await pass(10_000)
  pipe.take(40_000)
  await pass(50_001)
  expect(pipe.onSlow).not.toHaveBeenCalled()
  await pass(60_000)
  expect(pipe.onSlow).toHaveBeenCalledTimes(1)
})

test('one who has had nothing to take is not too slow, though something waits whenever a window ends', async () => {
  const pipe = new Pipe()
  for (let window = 0; window < 10; window += 1) {
    pipe.write(10)
    await pass(1_000)
    pipe.take()
    await pass(58_500)
    pipe.write(10)
    await pass(500)
  }
  expect(pipe.onSlow).not.toHaveBeenCalled()
})

test('one who was waited for is not let off by the moment in which the next is on its way', async () => {
  const pipe = new Pipe()
  pipe.write(100, true)
  for (let piece = 0; piece < 6; piece += 1) {
    await pass(9_000)
    pipe.take()
    await pass(900)
    pipe.write(100, true)
  }
  await pass(1_000)
  expect(pipe.onSlow).toHaveBeenCalledTimes(1)
})

test('but is by a silence of whoever writes, though that had to wait', async () => {
  const pipe = new Pipe()
  for (let piece = 0; piece < 60; piece += 1) {
    pipe.write(100, true)
    await pass(8_000)
    pipe.take()
    await pass(1_100)
  }
  expect(pipe.onSlow).not.toHaveBeenCalled()
})

test('where nothing waits there is no timer, and none once it has stopped', async () => {
  const pipe = new Pipe()
  pipe.reader.note()
  expect(vi.getTimerCount()).toBe(0)
  pipe.write(10)
  expect(vi.getTimerCount()).toBe(1)
  pipe.take()
  await pass(60_001)
  expect(vi.getTimerCount()).toBe(0)
  pipe.write(10)
  pipe.reader.stop()
  pipe.write(10)
  await pass(120_000)
  expect([vi.getTimerCount(), pipe.onSlow.mock.calls.length, pipe.listenerCount('drain')]).toEqual([0, 0, 0])
})
