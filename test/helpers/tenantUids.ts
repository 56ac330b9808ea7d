// Uid ranges for tests: a uid is one instance's alone on the whole machine, so no two launchers under test share a range.

let last = 0

/** Ten uids that no other test has, of this or another file. */
export const newTenantUids = (): { readonly first: number; readonly last: number } => {
  last += 1
  // By pid, since another run of the tests may be under way on this machine.
  const first = 100_000_000 + (process.pid % 1_000_000) * 1_000 + last * 10
  return { first, last: first + 9 }
}
