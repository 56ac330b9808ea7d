// How problems are told: to a person as place, key and code, sentence, arrow, next step; to a program as JSON. Pure.
import { relative } from 'node:path'
import { type Problem, visible } from '../config/problem.ts'

/** The problems as text, one paragraph each, without a line break at the end. Files are shown relative to `cwd` when they lie below it. */
export const formatProblems = (problems: readonly Problem[], cwd: string): string =>
  problems.map((problem) => formatProblem(problem, cwd)).join('\n\n')

const formatProblem = (problem: Problem, cwd: string): string => {
  const place = `${shortPath(problem.file, cwd)}${problem.line === undefined ? '' : `:${problem.line}`}`
  const head = [place, problem.key, problem.code].filter((part) => part !== '').join('  ')
  const lines = [head, problem.message, ...(problem.fix === undefined ? [] : [`→ ${problem.fix}`])]
  return lines.map(visible).join('\n')
}

const shortPath = (file: string, cwd: string): string => {
  const way = relative(cwd, file)
  return way.startsWith('..') ? file : way
}

/** A problem as programs get it: every field is there, null when it has no value. */
export interface ProblemReport {
  readonly file: string
  readonly line: number | null
  readonly column: number | null
  readonly key: string | null
  readonly code: string
  /** Whether the config is at fault, on any machine, or this machine. */
  readonly fault: 'config' | 'machine'
  readonly message: string
  readonly value: string | null
  readonly suggestion: string | null
  readonly fix: string | null
  readonly service: string | null
}

export const reportProblems = (problems: readonly Problem[]): readonly ProblemReport[] =>
  problems.map((problem) => ({
    file: problem.file,
    line: problem.line ?? null,
    column: problem.column ?? null,
    key: problem.key === '' ? null : problem.key,
    code: problem.code,
    fault: problem.fault ?? 'config',
    message: problem.message,
    value: problem.value ?? null,
    suggestion: problem.suggestion ?? null,
    fix: problem.fix ?? null,
    service: problem.service ?? null,
  }))
