// The paths that tenement keeps for itself on the host of every instance. Applications never see requests for them, asleep or
// awake: a page that was shown while one woke must find the same thing behind its path at any time.

const prefix = '/.well-known/tenement'

/** Where the page of a waking instance learns how the wake goes. */
export const wakePath = `${prefix}/wake`

/** `path` is a target in origin-form, query included. */
export const isOwnPath = (path: string): boolean => {
  const bare = withoutQuery(path)
  return bare === prefix || bare.startsWith(`${prefix}/`)
}

export const isWakePath = (path: string): boolean => withoutQuery(path) === wakePath

const withoutQuery = (path: string): string => path.split('?', 1)[0] ?? ''
