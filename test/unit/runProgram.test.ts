import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runProgram } from '../../src/runProgram.ts'

const shell = (script: string, options = {}) => runProgram('/bin/sh', ['-c', script], options)

test('a program is told of with all it wrote, but the newline at its end', async () => {
  expect(await shell('echo one; echo two; echo three >&2')).toEqual({
    failed: false,
    timedOut: false,
    exitCode: 0,
    stdout: 'one\ntwo',
    stderr: 'three',
    problem: '',
  })
})

test('a program that fails is told of with how it ended', async () => {
  expect(await shell('exit 3')).toMatchObject({ failed: true, exitCode: 3, problem: '/bin/sh: it ended with 3' })
  expect(await shell('kill -TERM $$')).toMatchObject({
    ...{ failed: true, exitCode: null, problem: '/bin/sh: it ended with SIGTERM' },
  })
})

test('a program that cannot be started has failed', async () => {
  expect(await runProgram('/nowhere/program', [])).toMatchObject({
    ...{ failed: true, timedOut: false, exitCode: null },
    problem: expect.stringMatching(/^\/nowhere\/program cannot be started: .*ENOENT/),
  })
  // This one throws where the other is an event.
  expect(await runProgram('/bin/true\0', [])).toMatchObject({ failed: true, exitCode: null })
})

test('a program that takes too long is killed, whatever it does about signals', async () => {
  expect(await runProgram('/bin/sh', ['-c', "trap '' TERM; exec sleep 60"], { timeoutMs: 200 })).toMatchObject({
    ...{ failed: true, timedOut: true, problem: '/bin/sh: within 200 ms it did not end' },
  })
})

test('a program reads what it is given, and has nothing where it is given nothing', async () => {
  const inputs = [undefined, Buffer.from('four'), Buffer.alloc(300_000, 'x')]
  const { stdout } = await shell('[ -e /proc/$$/fd/3 ] || echo nothing; cat <&4; cat <&5 | wc -c', { inputs })
  expect(stdout).toBe('nothing\nfour300000')
})

test('a program that ends without having read what it is given has not failed', async () => {
  const before = readdirSync('/proc/self/fd').length
  expect(await shell('exec true', { inputs: [Buffer.alloc(1_000_000)] })).toMatchObject({ failed: false })
  expect(readdirSync('/proc/self/fd').length).toBe(before)
})

test('a program has the environment it is given and no other', async () => {
  expect((await shell('/usr/bin/env', { env: { ONLY: 'this' } })).stdout.split('\n')).toContain('ONLY=this')
  expect((await shell('/usr/bin/env', { env: { ONLY: 'this' } })).stdout).not.toMatch(/^HOME=/m)
  expect((await shell('/usr/bin/env')).stdout).toMatch(/^PATH=/m)
})
