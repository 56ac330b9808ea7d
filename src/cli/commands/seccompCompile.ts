// `tenement seccomp compile`: a profile → the filter instances get, for other programs or to be looked at.
import { writeFile } from 'node:fs/promises'
import { messageOf, TenementError } from '../../errors.ts'
import { type CommandDefinition, jsonFlag } from '../command.ts'
import { exitCodes } from '../exitCodes.ts'
import { printJson } from '../printJson.ts'
import { archFlag, archOf } from '../seccompProfile.ts'
import { UsageError } from '../usageError.ts'

const bytesPerInstruction = 8

export const seccompCompile: CommandDefinition = {
  name: 'seccomp compile',
  args: ['<profile>'],
  summary: 'Make the filter of a seccomp profile and write it to a file',
  more: 'The filter is held against its profile first, call by call. It is what bwrap --seccomp takes.',
  examples: [
    ['tenement seccomp compile strict -o strict.bpf', 'one that comes with tenement'],
    ['tenement seccomp compile ./mine.json -o mine.bpf --arch aarch64', 'a file of your own, for another machine'],
  ],
  flags: [{ flags: '-o, --output <file>', help: 'where to write it' }, archFlag, jsonFlag],
  run: async ({ args: [nameOrPath = ''], given, terminal }) => {
    const output = given.text('output')
    if (output === undefined) throw new UsageError('nowhere to write the filter', 'name a file: -o out.bpf')
    const { compileProfile } = await import('../../seccomp/compileProfile.ts')
    const { readProfile } = await import('../../seccomp/find.ts')
    const { file, text } = await readProfile(nameOrPath, process.cwd())
    const filter = compileProfile(text, { file, ...archOf(given) })
    await write(output, filter)
    const instructions = filter.length / bytesPerInstruction
    if (given.has('json')) printJson(terminal, { profile: file, output, instructions, bytes: filter.length })
    else terminal.print(`${output}: ${instructions} instructions from ${file}`)
    return exitCodes.ok
  },
}

const write = async (output: string, filter: Uint8Array): Promise<void> => {
  try {
    await writeFile(output, filter)
  } catch (error) {
    throw new TenementError('internal', `the filter cannot be written: ${messageOf(error)}`, { cause: error })
  }
}
