import { describe, expect, test } from 'vitest'
import { mostInstructions } from '../../../src/seccomp/interpret.ts'
import { architectureNames, disagreements, dockerText, policyAndProgram, shippedNames, shippedText } from './shipped.ts'

const profiles = [
  ...shippedNames.map((name) => [name, () => shippedText(name)] as const),
  ["Docker's default", dockerText] as const,
]

describe.each(architectureNames)('on %s', (arch) => {
  test.each(profiles)('the filter of %s answers every call as the profile says', (_, text) => {
    const { policy, program } = policyAndProgram(text(), arch)
    expect(disagreements(policy, program)).toEqual([])
    expect(program.code.length).toBeLessThan(mostInstructions / 4)
  })
})
