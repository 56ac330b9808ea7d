// Uid ranges for tests: a uid is one instance's alone on the whole machine, so no two launchers under test share a range.

let taken = 0

/** Uids that no other test has, of this or another file: one for every instance that is to have data. */
export const newTenantUids = (count = 10): { readonly first: number; readonly last: number } => {
  // By pid, since another run of the tests may be under way on this machine.
  const first = 100_000_000 + (process.pid % 1_000_000) * 1_000 + taken
  taken += count
  return { first, last: first + count - 1 }
}
