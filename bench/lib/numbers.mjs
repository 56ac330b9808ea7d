// What is made of many measured values: medians, 95th percentiles and ratios, never means, which one pause of a busy machine moves.

import { setTimeout as delay } from 'node:timers/promises'

export const quantile = (values, q) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))]

export const median = (values) => quantile(values, 0.5)

/** Median of the differences within each round: what the machine was busy with in that moment is in both and falls away. */
export const pairedDifference = (values, base) => median(values.map((value, round) => value - base[round]))

/** What was asked of waking `what`: how much longer it may take than by hand, in milliseconds. */
export const addedTo = (values, byHand, what) =>
  values === undefined
    ? []
    : [
        { what: `added to the start of ${what}, median, ms`, found: pairedDifference(values, byHand), atMost: 5 },
        {
          what: `added to the start of ${what}, p95, ms`,
          found: quantile(values, 0.95) - quantile(byHand, 0.95),
          atMost: 10,
        },
      ]

/** Median of the quotients within each round. */
export const pairedRatio = (values, base) => median(values.map((value, round) => value / base[round]))

/** Half of the distance between the quartiles: how far a median may be off by chance is less than this. */
export const noise = (values) => (quantile(values, 0.75) - quantile(values, 0.25)) / 2

/** The kernel takes namespaces and cgroups apart after those in them have ended, at the cost of whoever comes next. */
const settleMs = 25

const shuffled = (list) =>
  list
    .map((each) => ({ each, at: Math.random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ each }) => each)

/**
 * Calls every contestant once in each round, so that all meet the same machine, in another order each time, so that none always
 * follows the same; the first rounds only warm.
 */
export const inTurn = async (contestants, rounds, warmRounds = 2) => {
  const values = Object.fromEntries(contestants.map(({ name }) => [name, []]))
  for (let round = -warmRounds; round < rounds; round += 1)
    for (const { name, once } of shuffled(contestants)) {
      await delay(settleMs)
      const value = await once()
      if (round >= 0) values[name].push(value)
    }
  return values
}
