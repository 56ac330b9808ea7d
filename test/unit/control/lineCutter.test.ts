import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLineCutter } from '../../../src/control/lineCutter.ts'
import { bytesOf, parseLogLine } from '../../../src/control/logLine.ts'

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
/** Bytes with many newlines in them. */
const chunk = fc.array(fc.constantFrom(0x0a, 0x61, 0xff), { maxLength: 30 }).map((array) => Buffer.from(array))

const cutAll = (chunks: readonly Buffer[], maxBytes: number): readonly string[] => {
  const cutter = createLineCutter(maxBytes)
  const lines = chunks.flatMap((part) => [...cutter.push(part)])
  const rest = cutter.end()
  return [...lines, ...(rest === undefined ? [] : [rest])].map((line) => line.toString('latin1'))
}

describe('a line cutter', () => {
  it('cuts the same lines however the bytes arrive', () => {
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        const lines = Buffer.concat(chunks).toString('latin1').split('\n')
        if (lines.at(-1) === '') lines.pop()
        expect(cutAll(chunks, 1_000_000)).toEqual(lines)
      }),
    )
  })

  it('keeps of each line what fits, and nothing of it for the next', () => {
    fc.assert(
      fc.property(fc.array(chunk), fc.integer({ min: 1, max: 5 }), (chunks, most) => {
        const cut = cutAll(chunks, 1_000_000).map((line) => line.slice(0, most))
        expect(cutAll(chunks, most)).toEqual(cut)
      }),
    )
  })

  it('does not hold on to a buffer that is used again', () => {
    const cutter = createLineCutter(100)
    const buffer = Buffer.from('abc')
    cutter.push(buffer)
    buffer.fill('x')
    expect(cutter.push(Buffer.from('\n')).map(String)).toEqual(['abc'])
  })
})

describe('a line of a log file', () => {
  it('gives back the bytes that were written, whatever they are', () => {
    fc.assert(
      fc.property(bytes, fc.constantFrom('out', 'err', 'log'), (written, stream) => {
        const line = Buffer.concat([Buffer.from(`2026-11-23T18:15:54.123Z ${stream} `), written])
        const parsed = parseLogLine(line)
        expect(parsed).toMatchObject({ at: '2026-11-23T18:15:54.123Z', stream })
        expect(bytesOf(JSON.parse(JSON.stringify(parsed)))).toEqual(written)
      }),
    )
  })
})
