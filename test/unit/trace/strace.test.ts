import { expect, test } from 'vitest'
import { findStrace, traceProcess } from '../../../src/trace/strace.ts'

test('where there is no strace, what is missing is said and how to get it', async () => {
  await expect(findStrace(['/no/such/strace', '/dev/null'])).rejects.toMatchObject({
    code: 'unsupported_machine',
    message: 'strace, which tells what an instance calls, is not installed',
    fix: expect.stringContaining('strace'),
  })
})

test('a process that may not be traced, or is none, is told with the words of strace', async () => {
  const tracer = traceProcess(await findStrace(), 2 ** 22 - 1, () => undefined)
  await expect(tracer.over).rejects.toMatchObject({
    code: 'start_failed',
    message: expect.stringMatching(/^strace could not trace process 4194303: .*attach/),
    fix: expect.stringContaining('trace as root'),
  })
})
