import { expect, test } from 'vitest'
import { runProgram, wordsOf } from '../../../src/seccomp/interpret.ts'
import { architectureNames, policyAndProgram, shippedText, thoroughAttempts } from './shipped.ts'

const allow = 0x7fff_0000

test.each(
  architectureNames.flatMap((arch) =>
    [
      ['strict', 'default'],
      ['default', 'permissive'],
      ['permissive', 'nested'],
    ].map(([tighter = '', looser = '']) => [tighter, looser, arch] as const),
  ),
)('what %s allows, %s allows too (%s)', (tighter, looser, arch) => {
  const a = policyAndProgram(shippedText(tighter), arch)
  const b = policyAndProgram(shippedText(looser), arch)
  let allowed = 0
  const lost: string[] = []
  for (const attempt of thoroughAttempts(a.policy)) {
    const words = wordsOf(attempt.args, attempt.number, attempt.arch)
    if (runProgram(a.program, words) !== allow) continue
    allowed += 1
    if (runProgram(b.program, words) !== allow) lost.push(`${attempt.number} (${attempt.args})`)
  }
  expect(lost).toEqual([])
  expect(allowed).toBeGreaterThan(400)
})

test.each(architectureNames)('default allows what strict does not (%s)', (arch) => {
  const strict = policyAndProgram(shippedText('strict'), arch).policy
  const loose = policyAndProgram(shippedText('default'), arch).policy
  expect(strict.calls.get(arch === 'x86_64' ? 29 : 194)?.name).toBeUndefined()
  expect(loose.calls.get(arch === 'x86_64' ? 29 : 194)?.name).toBe('shmget')
})
