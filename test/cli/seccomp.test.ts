import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decodeProgram } from '../../src/seccomp/interpret.ts'
import { answer, policyAndProgram, shippedText } from '../unit/seccomp/shipped.ts'
import { openCommandLine, type Tenement } from './tenement.ts'

let tenement: Tenement
let folder: string

beforeAll(async () => {
  tenement = await openCommandLine()
  folder = await mkdtemp(join(tmpdir(), 'tenement-seccomp-cli-'))
  for (const name of ['strict', 'default']) await writeFile(join(folder, `${name}.json`), shippedText(name))
})
afterAll(async () => {
  await tenement.remove()
  await rm(folder, { recursive: true, force: true })
})

const run = (...args: readonly string[]) => tenement.run(['seccomp', ...args], { cwd: folder })

test.each(['x86_64', 'aarch64'] as const)('seccomp compile writes the filter instances get (%s)', async (arch) => {
  const told = await run('compile', './strict.json', '-o', `${arch}.bpf`, '--arch', arch)
  expect(told).toMatchObject({ code: 0, stderr: '' })
  const bytes = await readFile(join(folder, `${arch}.bpf`))
  expect(told.stdout).toBe(`${arch}.bpf: ${bytes.length / 8} instructions from ${join(folder, 'strict.json')}\n`)
  expect(answer(decodeProgram(bytes), arch, 'ptrace')).toBe(0x0005_0001)
  expect(decodeProgram(bytes)).toEqual(policyAndProgram(shippedText('strict'), arch).program)
})

test('seccomp compile says for programs what it wrote', async () => {
  const told = await run('compile', './default.json', '-o', 'default.bpf', '--json')
  const { length } = await readFile(join(folder, 'default.bpf'))
  expect(JSON.parse(told.stdout)).toEqual({
    profile: join(folder, 'default.json'),
    output: 'default.bpf',
    instructions: length / 8,
    bytes: length,
  })
})

test('seccomp compile writes nothing for a profile it refuses', async () => {
  await writeFile(
    join(folder, 'bad.json'),
    '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["ptrcae"],"action":"SCMP_ACT_ERRNO"}]}',
  )
  const told = await run('compile', 'bad.json', '-o', 'bad.bpf')
  expect(told).toMatchObject({ code: 2, stdout: '' })
  expect(told.stderr).toContain(
    'bad.json: syscalls[0].names has "ptrcae", which is no system call (invalid_profile)\n→ mend it, perhaps ptrace is meant',
  )
  await expect(readFile(join(folder, 'bad.bpf'))).rejects.toThrow('ENOENT')
})

test.each([
  [['compile', './strict.json'], 'nowhere to write the filter'],
  [['compile', './strict.json', '-o', 'x', '--arch', 'riscv64'], 'Allowed choices are x86_64, aarch64'],
  [['explain', './strict.json', 'ptrcae'], '"ptrcae" is no system call'],
  [['explain', './strict.json', 'open', '--arch', 'aarch64'], 'aarch64 has no system call "open"'],
  [['diff', './strict.json', './none.json'], 'none.json cannot be read'],
])('seccomp %j is a mistake in usage, and says which', async (args, said) => {
  const told = await run(...args)
  expect(told).toMatchObject({ code: 2, stdout: '' })
  expect(told.stderr).toContain(said)
})

test('seccomp explain prints one call with its conditions, its answer and its reason', async () => {
  const told = await run('explain', './strict.json', 'clone')
  expect(told).toMatchObject({ code: 0, stderr: '' })
  expect(told.stdout).toMatch(/^clone {2}allow {3}arg0 & 0x7e020000 = 0 {2}Threads and processes/m)
  expect(told.stdout).toMatch(/^clone {2}EPERM {3}otherwise {14}New namespaces/m)
})

test('seccomp takes the profiles that come with tenement by their names', async () => {
  const told = await run('explain', 'permissive', 'ptrace', '--json')
  expect(JSON.parse(told.stdout)).toMatchObject([{ name: 'ptrace', action: 'EPERM' }])
  expect((await run('explain', 'strcit')).stderr).toContain(
    '→ did you mean "strict"? There are default, nested, permissive, strict, or the path of a file',
  )
})

test('seccomp explain prints every call a profile names, and what all others get', async () => {
  const told = await run('explain', './strict.json', '--json')
  const rows: { name: string; action: string }[] = JSON.parse(told.stdout)
  expect(rows.find(({ name }) => name === 'ptrace')?.action).toBe('EPERM')
  expect(rows.at(-1)).toMatchObject({ name: '*', action: 'ENOSYS', place: 'defaultAction' })
})

test('seccomp diff prints what one profile adds to another', async () => {
  const told = await run('diff', './strict.json', './default.json')
  expect(told.stdout).toMatch(/^- \.\/strict\.json\n\+ \.\/default\.json\n/)
  expect(told.stdout).toContain('\nshmget: ENOSYS → allow\n')
  expect(told.stdout).toContain('\n  - otherwise ENOTTY\n  + otherwise allow\n')
  expect((await run('diff', './strict.json', './strict.json')).stdout).toBe('no difference\n')
})

test('seccomp lint asks for a reason, and exits with 2 until there is one', async () => {
  const write = (entry: object) =>
    writeFile(
      join(folder, 'mine.json'),
      JSON.stringify({
        defaultAction: 'SCMP_ACT_ERRNO',
        syscalls: [{ names: ['bpf'], action: 'SCMP_ACT_ALLOW', ...entry }],
      }),
    )
  await write({})
  expect(await run('lint', './mine.json')).toMatchObject({
    code: 2,
    stdout: 'syscalls[0]: bpf runs programs inside the kernel [bpf(2); Documentation/bpf; CVE-2021-3490]\n',
    stderr: expect.stringContaining('"comment"'),
  })
  const told = await run('lint', './mine.json', '--json')
  expect(told).toMatchObject({ code: 2, stderr: '' })
  expect(JSON.parse(told.stdout)).toMatchObject([{ call: 'bpf', args: [], place: 'syscalls[0]' }])
  await write({ comment: 'it is a profiler' })
  expect(await run('lint', './mine.json')).toMatchObject({ code: 0, stderr: '' })
})
