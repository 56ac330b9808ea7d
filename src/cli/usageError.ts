// A command line that the parser took but that makes no sense. The rest of tenement never throws it: it ends with code 2.

export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly fix: string | undefined

  constructor(message: string, fix?: string) {
    super(message)
    this.fix = fix
  }
}
