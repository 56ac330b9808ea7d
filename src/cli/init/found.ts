// What `init` finds in a folder: a program, and how it would be run as a service.

export interface Found {
  /** 'Node', 'Python' */
  readonly language: string
  /** What shows that, for a person: 'package.json starts it with "node server.js"'. */
  readonly because: string
  /** What it is called by its own files. */
  readonly name?: string | undefined
  /** With templates such as {port}. */
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** The file to look into for how it listens; undefined where the command says so. */
  readonly entry?: string | undefined
  /** What has to be done before it can be served, a command or a sentence each. */
  readonly steps: readonly string[]
}
