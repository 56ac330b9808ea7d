// Uid ranges for tests: a uid is one instance's alone on the whole machine, so no two launchers under test share a range.

/** For all the files that one process runs, one after the other; the last is below 2^31. */
const perProcess = 20_000

let taken = 0

/** Uids that no other test has, of this or another file: one for every instance that is to have data. */
export const newTenantUids = (count = 10): { readonly first: number; readonly last: number } => {
  // By pid, since another run of the tests may be under way on this machine.
  const first = 100_000_000 + (process.pid % 100_000) * perProcess + taken
  taken += count
  // Beyond them are those of the process with the next pid, which is likely to run tests too.
  if (taken > perProcess) throw new Error(`the tests of one process use more than ${perProcess} uids`)
  return { first, last: first + count - 1 }
}
