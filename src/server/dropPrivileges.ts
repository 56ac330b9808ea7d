// The server's farewell to root. It comes after all code is loaded, which may lie where the later user could not open it, and
// before a byte from the network or a line of the state is read.

/** Becomes `identity` for good, without further groups; throws when any way back is left. Does nothing where there is no identity. */
export const dropPrivileges = (identity: { readonly uid: number; readonly gid: number } | undefined): void => {
  if (identity === undefined) return
  const { setgroups, setgid, setuid } = process
  if (setgroups === undefined || setgid === undefined || setuid === undefined)
    throw new Error('this Node cannot change its uid')
  // Groups first: the right to change them goes with the uid.
  setgroups([])
  setgid(identity.gid)
  setuid(identity.uid)
  if (
    process.getuid?.() !== identity.uid ||
    process.geteuid?.() !== identity.uid ||
    process.getegid?.() !== identity.gid
  )
    throw new Error(`the server could not become uid ${identity.uid}`)
  requireNoWayBack()
}

/** setuid(2) from root sets the saved uid too; this holds it to that, since everything else rests on it. */
const requireNoWayBack = (): void => {
  try {
    process.setuid?.(0)
  } catch {
    return
  }
  throw new Error('the server could become root again after giving it up')
}
