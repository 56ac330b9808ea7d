// A process that does what a test says: it begins to listen, exits, or ignores its stop signal when told to.
import { Socket } from 'node:net'
import type { Attestation } from '../../../src/isolation/adapter.ts'
import type { Exit, Process, ProcessNote } from '../../../src/supervisor/process.ts'

const cleanExit: Exit = {
  code: 0,
  signal: null,
  outOfMemory: false,
  refusedForks: 0,
  outOfStorage: false,
  endedFor: null,
  lastLines: [],
}
const killed: Exit = {
  code: null,
  signal: 'SIGKILL',
  outOfMemory: false,
  refusedForks: 0,
  outOfStorage: false,
  endedFor: null,
  lastLines: [],
}

export class ScriptedProcess implements Process {
  readonly run: string
  readonly pid: number
  readonly uid = undefined
  readonly startedAtMs: number
  readonly attestation: Attestation = { atMs: 1_000, found: { 'pid.private': 'pid:[1]' } }
  readonly exited: Promise<Exit>
  readonly notes: ProcessNote[] = []
  /** What it was told, in order: 'stop', 'kill'. */
  readonly orders: string[] = []
  /** How it ended; while it lives, how it would if it obeyed. */
  lastExit: Exit = cleanExit
  isListening = false
  isAlive = true
  isFrozen = false
  /** Whether this machine can freeze it. */
  canFreeze = true
  /** Whether it ends when asked to. */
  obeys = true
  #exit: (exit: Exit) => void = () => undefined

  readonly #onStop: () => void

  constructor(number: number, startedAtMs: number, onStop: () => void = () => undefined) {
    this.#onStop = onStop
    this.run = `run-${number}`
    this.pid = 10_000 + number
    this.startedAtMs = startedAtMs
    this.exited = new Promise((resolve) => {
      this.#exit = (exit) => {
        if (this.isAlive) this.lastExit = exit
        this.isAlive = false
        this.isListening = false
        resolve(exit)
      }
    })
  }

  stored = (): undefined => undefined

  exit(exit: Partial<Exit>): void {
    this.#exit({ ...cleanExit, ...exit })
  }

  connect(): Promise<Socket> {
    return this.isListening && !this.isFrozen
      ? Promise.resolve(new Socket())
      : Promise.reject(new Error('connection refused'))
  }

  watchOutput(): () => void {
    return () => undefined
  }

  stop(): Promise<Exit> {
    this.orders.push('stop')
    this.isFrozen = false
    this.#onStop()
    if (this.obeys) this.#exit(cleanExit)
    return this.exited
  }

  kill(): Promise<Exit> {
    this.orders.push('kill')
    if (this.obeys) this.#exit(killed)
    return this.exited
  }

  setFrozen(isFrozen: boolean): Promise<boolean> {
    if (this.canFreeze) this.isFrozen = isFrozen
    return Promise.resolve(this.canFreeze && this.isAlive)
  }

  note(note: ProcessNote): void {
    this.notes.push(note)
  }
}
