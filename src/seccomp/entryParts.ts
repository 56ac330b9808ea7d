// The two parts of an entry that have a meaning of their own: what is answered, and on which arguments. Pure.
import { type Action, type ActionKind, actionNames, errnoNamed, greatestErrno } from './actions.ts'
import { allBits, type Condition, describeCondition, type Operator, witnessOf } from './conditions.ts'
import { need, type Place } from './place.ts'

const withErrno: ReadonlySet<ActionKind> = new Set<ActionKind>(['errno', 'trace'])

/** EPERM where none is given, as in the OCI specification. */
const defaultErrno = 1

/** The action at `place`, with its errno by number or by name. */
export const actionOf = (place: Place, number: Place, name: Place): Action => {
  const kind = place.oneOf(actionNames)
  if (!withErrno.has(kind)) {
    if (!number.isAbsent)
      throw number.problem(`means nothing with ${place.text()}`, 'remove it, or make the action SCMP_ACT_ERRNO')
    return { kind, data: 0 }
  }
  const given = number.isAbsent ? undefined : Number(number.whole(BigInt(greatestErrno)))
  const named = name.isAbsent ? undefined : errnoOf(name)
  if (given !== undefined && named !== undefined && given !== named) {
    throw name.problem(`is "${name.text()}", which is ${named}, beside the number ${given}`, 'keep the one you mean')
  }
  return { kind, data: given ?? named ?? defaultErrno }
}

const errnoOf = (place: Place): number => {
  const number = errnoNamed(place.text())
  if (number === undefined)
    throw place.problem(`is "${place.text()}", which is no errno`, 'write a name such as "EPERM"')
  return number
}

const operators: Readonly<Record<string, Operator>> = {
  SCMP_CMP_NE: 'NE',
  SCMP_CMP_LT: 'LT',
  SCMP_CMP_LE: 'LE',
  SCMP_CMP_EQ: 'EQ',
  SCMP_CMP_GE: 'GE',
  SCMP_CMP_GT: 'GT',
  SCMP_CMP_MASKED_EQ: 'MASKED_EQ',
}

/** One of `args`; refused when no argument could meet it. */
export const conditionOf = (place: Place): Condition => {
  const fields = place.fields(['index', 'value', 'valueTwo', 'op'])
  const operator = need(fields, 'op').oneOf(operators)
  const value = need(fields, 'value').whole(allBits)
  const second = need(fields, 'valueTwo')
  const two = second.isAbsent ? 0n : second.whole(allBits)
  if (operator !== 'MASKED_EQ' && two !== 0n)
    throw second.problem('is read for SCMP_CMP_MASKED_EQ only', 'remove it, or set "op" to that')
  const index = Number(need(fields, 'index').whole(5n))
  const condition =
    operator === 'MASKED_EQ' ? { index, operator, value: two, mask: value } : { index, operator, value, mask: allBits }
  if (witnessOf(condition) === undefined) {
    throw place.problem(`can never be met: ${describeCondition(condition)}`, 'mend it, or remove its entry')
  }
  return condition
}
