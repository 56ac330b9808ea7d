// What a neighbour feels of what goes on beside it: its requests, each alone and after the other on a connection that is kept, as a
// person behind a browser would have them, and its p99 beside that of the quiet rounds.
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { median, quantile } from './numbers.mjs'

export const statusOf = async (options) => {
  const asked = request(options).end()
  const [response] = await once(asked, 'response')
  response.resume()
  await once(response, 'end')
  return response.statusCode
}

/** The times of its answers for so many milliseconds, and how many requests failed. */
export const askFor = async (port, host, forMs) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times = []
  let failed = 0
  for (const until = performance.now() + forMs; performance.now() < until; ) {
    const begun = performance.now()
    const status = await statusOf({ host: '127.0.0.1', port, agent, headers: { host } }).catch(() => 0)
    if (status === 200) times.push(performance.now() - begun)
    else failed += 1
  }
  agent.destroy()
  return { times, failed }
}

export const rowOf = (name, rounds, quietRounds) => {
  const p99s = rounds.map(({ times }) => quantile(times, 0.99))
  return {
    beside: name,
    asked: rounds.reduce((sum, { times }) => sum + times.length, 0),
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
    'p50 ms': median(rounds.map(({ times }) => median(times))),
    'p99 ms': median(p99s),
    noise: (Math.max(...p99s) - Math.min(...p99s)) / 2,
    // Within each round, so that what else the machine did is in both.
    'ratio of p99': median(p99s.map((p99, round) => p99 / quantile(quietRounds[round].times, 0.99))),
  }
}

/** Of each round. */
export const p99sOf = (values) =>
  Object.fromEntries(
    Object.entries(values).map(([name, rounds]) => [name, rounds.map(({ times }) => quantile(times, 0.99))]),
  )
