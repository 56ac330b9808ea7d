import { describe, expect, it } from 'vitest'
import { formatInstances } from '../../../src/cli/formatInstances.ts'
import type { Paint } from '../../../src/cli/terminal.ts'
import { phases } from '../../../src/control/operations.ts'
import { carol, instanceStatus } from '../control/scripted.ts'

const plain: Paint = (_, text) => text
const marked: Paint = (style, text) => `<${style}>${text}</>`

const ready = instanceStatus(carol, {
  phase: 'ready',
  pid: 4101,
  uptimeMs: 3 * 60_000 + 20_000,
  idleMs: 12_000,
  restarts: 2,
  memoryBytes: 12 * 1024 ** 2,
  requests: 1_234,
})

describe('the table of ps', () => {
  it('has its columns in their order, and "-" for what an instance does not have', () => {
    const asleep = instanceStatus({ service: 'notes', id: 'a-longer-name' })
    expect(formatInstances([ready, asleep], plain)).toBe(
      [
        'INSTANCE             PHASE   PID   UPTIME  IDLE  RESTARTS  MEMORY  REQUESTS  ADDRESS',
        'api:carol            ready   4101  3m      12s   2         12 MB   1234      carol.api.localhost:8080',
        'notes:a-longer-name  asleep  -     -       -     0         -       0         a-longer-name.notes.localhost:8080',
      ].join('\n'),
    )
  })

  it('keeps its columns aligned in colour', () => {
    const uncoloured = formatInstances([ready], marked).replace(/<\w+>|<\/>/g, '')
    expect(uncoloured).toBe(formatInstances([ready], plain))
  })

  it('gives every phase a colour, and a crashlooped instance red', () => {
    for (const phase of phases)
      expect(formatInstances([instanceStatus(carol, { phase })], marked)).toMatch(new RegExp(`<\\w+>${phase}</>`))
    expect(formatInstances([instanceStatus(carol, { phase: 'crashlooped' })], marked)).toContain('<red>crashlooped</>')
  })

  it('lets no control character of an address reach the terminal', () => {
    const shown = formatInstances([instanceStatus(carol, { address: 'a\u001b]0;x\u0007\u009b' })], plain)
    expect(shown.replaceAll('\n', '')).toMatch(/^\P{Cc}+$/u)
  })
})
