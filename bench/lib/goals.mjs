// What was asked of tenement beside what was found: told, never asserted, since what is found depends on the machine.

const bound = ({ atLeast, atMost }) => (atLeast === undefined ? `at most ${atMost}` : `at least ${atLeast}`)

const isMet = ({ found, atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }) =>
  found >= atLeast && found <= atMost

const verdict = (goal) => {
  if (goal.found === undefined || goal.found === null) return 'not measured'
  return isMet(goal) ? 'met' : 'missed'
}

const digits = (value) => (Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(0))
const shown = (value) => (value === undefined || value === null ? '' : digits(value))

/** Rows for a table. @param goals each with `what`, `found` and a bound, `atLeast` or `atMost` */
export const goalRows = (goals) =>
  goals.map((goal) => ({ goal: goal.what, asked: bound(goal), found: shown(goal.found), is: verdict(goal) }))

export const goalColumns = ['goal', 'asked', 'found', 'is']
