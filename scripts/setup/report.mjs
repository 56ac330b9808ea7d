// How set-up speaks: one short line for each thing it does, on stderr, and an error that carries the next step.

/** Set-up cannot go on; `fix` is what the person at the terminal can do about it. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {string} fix
   */
  constructor(message, fix) {
    super(message)
    this.fix = fix
  }
}

/** @param {string} line */
export const say = (line) => {
  console.error(`setup: ${line}`)
}

/**
 * The last lines of what a program wrote, indented, to stand below a sentence about its failure.
 * @param {string} output
 */
export const lastLines = (output, count = 15) =>
  output
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => `    ${line}`)
    .join('\n')
