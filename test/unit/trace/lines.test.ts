import { expect, test } from 'vitest'
import { createReader } from '../../../src/trace/lines.ts'

/** As strace 6.1 wrote it of bubblewrap and a Python program: 21046 is the namespace's first process, 21079 the application. */
const written = `21046 [   0] read(0x9, 0x7ffc13f6ab67, 0x1) = 0x1
21046 [  56] clone(0x1200011, 0, 0, 0x7f8b0b46a490, 0 <unfinished ...>
21079 [ 273] set_robust_list(0x7f8b0b46a4a0, 0x18) = 0
21046 [  56] <... clone resumed>)       = 0x2
21046 [ 157] prctl(0x16, 0x2, 0x7ffc13f68b60 <unfinished ...>
21079 [ 157] prctl(0x26, 0x1, 0, 0, 0)  = 0
21046 [ 157] <... prctl resumed>)       = 0
21046 [  61] wait4(0xffffffff, 0x7ffc13f689f4, 0, 0 <unfinished ...>
21079 [ 157] prctl(0x16, 0x2, 0x7ffc13f68b60) = 0
21079 [  59] execve(0x7ffc13f6ca1b, 0x7ffc13f6ad30, 0x7ffc13f6ad50) = 0
21079 [ 435] clone3(0x7fff5067dc10, 0x58) = -1 ENOSYS (Function not implemented)
21080 [  60] exit(0 <unfinished ...>
21079 [ 463] syscall_0x1cf(0, 0x1, 0, 0, 0, 0) = -1 ENOSYS (Function not implemented)
21079 [  39] getpid()                   = 0x2`.split('\n')

test('what the sandbox calls before it has loaded the filter is left out, and everything after it is read once', () => {
  const reader = createReader(21_046, 'x64')
  const made = written.map((line) => reader.read(line)).filter((call) => call !== undefined)
  expect(made.map(({ number }) => number)).toEqual([61, 59, 435, 60, 463, 39])
  expect(made[0]?.args).toEqual([0xffff_ffffn, 0x7ffc13f689f4n, 0n, 0n])
  expect(made[2]?.args).toEqual([0x7fff5067dc10n, 0x58n])
  expect(made.at(-1)?.args).toEqual([])
})

test('a filter of its own that an application loads changes nothing', () => {
  const reader = createReader(21_046, 'x64')
  for (const line of written) reader.read(line)
  expect(reader.read('21079 [ 157] prctl(0x16, 0x2, 0x7ffc13f68b60) = 0')).toMatchObject({ number: 157 })
  expect(reader.read('21099 [ 157] prctl(0x16, 0x2, 0x7ffc13f68b60) = 0')).toMatchObject({ number: 157 })
})

test('arguments are what the filter sees: 64 bits without a sign', () => {
  const reader = createReader(1, 'x64')
  reader.read('1 [ 157] prctl(0x16, 0x2, 0) = 0')
  expect(reader.read('1 [   3] close(-1) = -1 EBADF (Bad file descriptor)')?.args).toEqual([0xffff_ffff_ffff_ffffn])
})

test.each([
  '',
  '21079 +++ exited with 0 +++',
  '21079 --- SIGTERM {si_signo=SIGTERM} ---',
  'strace: Process 9 attached',
  '21079 [ 0',
])('%j tells of no call', (line) => {
  expect(createReader(1, 'x64').read(line)).toBeUndefined()
})
