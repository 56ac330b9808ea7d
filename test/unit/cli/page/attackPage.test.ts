import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Exposure } from '../../../../src/check/exposure/exposure.ts'
import { attackPage, type PageData } from '../../../../src/cli/page/attackPage.ts'
import { type Colours, dark, grounds, inks, light } from '../../../../src/cli/page/colours.ts'
import { style } from '../../../../src/cli/page/style.ts'
import { visible } from '../../../../src/config/problem.ts'
import { builtinAdapters } from '../../../../src/isolation/registry.ts'
import { type AttackReport, type AttackRow, countsOf } from '../../../../src/proof/report.ts'
import { elementsNamed, everyElement, parsePage } from './markup.ts'

const row = (over: Partial<AttackRow>): AttackRow => ({
  ...{ row: '1', sentence: 'does no harm', network: null, outcome: 'stopped', promisedBy: [], because: [] },
  ...over,
})

const reportOf = (adapter: string, rows: readonly AttackRow[], over: Partial<AttackReport> = {}): AttackReport => ({
  ...{ adapter, usable: true, problem: null, lost: [], startedAtMs: 0, durationMs: 1_000 },
  ...{ rows, counts: countsOf(rows) },
  ...over,
})

const exposure = (text: string): Exposure => ({
  score: 6.8,
  tenant: text,
  terms: [{ term: 'write', points: 0.5, of: 0.5, exposes: text, because: text, fix: text }],
})

/** A page on which every text that can come from outside is this one. */
const dataWith = (text: string, reports: readonly AttackReport[]): PageData => ({
  machine: text,
  proof: {
    ok: !reports.some(({ counts }) => counts.broken > 0),
    ...{ startedAtMs: Date.UTC(2026, 2, 1, 14, 5, 9), durationMs: 31_000 },
    fingerprint: {
      ...{ kernel: text, bubblewrap: text, libseccomp: text, tenement: text, node: text, caller: text },
      cgroups: text,
    },
    builds: [{ fault: text, what: text, found: 'vulnerable', because: text, fix: text, row: text }],
    adapters: reports,
  },
  adapters: builtinAdapters,
  services: [
    { name: text, isolation: 'none', exposure: exposure(text), most: 5, isBroken: true },
    {
      name: 'calm',
      isolation: 'sandbox',
      exposure: { score: 0, tenant: undefined, terms: [] },
      most: undefined,
      isBroken: false,
    },
    { name: 'elsewhere', isolation: 'none', exposure: undefined, most: undefined, isBroken: false },
  ],
})

const reportsWith = (text: string): readonly AttackReport[] => [
  reportOf(
    'none',
    [
      row({ row: '4', promisedBy: ['user.perTenantUid'], sentence: text }),
      row({ row: '12', network: 'host', outcome: 'allowed', sentence: text, because: [text] }),
      row({ row: text, outcome: 'not run', because: [text, text] }),
    ],
    { lost: [{ capability: text, reason: text, fix: text, onlyWith: { nested: text } }] },
  ),
  reportOf(text, [], { usable: false, problem: { reason: text, fix: text } }),
]

const pageWith = (text: string): string => attackPage(dataWith(text, reportsWith(text)))
const plain = pageWith('plain')
const root = parsePage(plain)
const shapeOf = (page: string): string =>
  everyElement(parsePage(page))
    .map(({ name, attributes }) => `${name} ${[...attributes.keys()].join(' ')}`)
    .join('\n')

describe('the page of an attack', () => {
  it.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</style><script>alert(1)</script>',
    '</title></h1><h1>',
    '<!-- ',
    '&lt;b&gt; &#60;b&#62; &amp',
    '{1+1} \\u003cb> %3Cb%3E',
    '\u202egnp.exe\u2066 \u001b[2J \u0000 \u2028',
  ])('shows %j as the text it is, wherever it stands', (text) => {
    const page = pageWith(text)
    expect(shapeOf(page)).toBe(shapeOf(plain))
    // Of control characters (Cc) the page itself has line breaks; the others turn, break or hide the text around them.
    expect(page).not.toMatch(/(?![\t\n])[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u)
    expect(parsePage(page).text).toContain(visible(text))
  })

  it('has the same elements whatever the texts on it are', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '/', '=', ' ', 'a', '-', '!', ';', '`', '\n') }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        expect(shapeOf(pageWith(text))).toBe(shapeOf(plain))
      }),
      { numRuns: 60 },
    )
  }, 90_000)

  it('needs nothing but itself: it names no other address, and has no script, picture, font or frame', () => {
    expect(new Set(everyElement(root).flatMap(({ attributes }) => [...attributes.keys()]))).toEqual(
      new Set([
        ...['lang', 'charset', 'http-equiv', 'content', 'name', 'class', 'datetime', 'aria-label', 'href', 'id'],
        ...['aria-labelledby', 'scope', 'colspan', 'min', 'max', 'low', 'high', 'optimum', 'value', 'aria-hidden'],
      ]),
    )
    for (const { attributes } of everyElement(root)) expect(attributes.get('href') ?? '#').toMatch(/^#/)
    expect(style).not.toMatch(/url\(|@import|@font-face|https?:|\/\//)
    expect(elementsNamed(root, 'script', 'img', 'link', 'iframe', 'object', 'embed', 'form', 'base', 'svg')).toEqual([])
  })

  it('forbids the browser everything but the one style that it brings', () => {
    const metas = elementsNamed(root, 'meta')
    const policy = metas.find(({ attributes }) => attributes.get('http-equiv') === 'Content-Security-Policy')
    const [sheet] = elementsNamed(root, 'style')
    const hash = createHash('sha256')
      .update(sheet?.text ?? '')
      .digest('base64')
    expect(policy?.attributes.get('content')).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    )
    // What stands before it in the head is not held to it.
    const head = elementsNamed(root, 'head')[0]
    expect(head?.children.slice(0, 2)).toEqual([metas[0], policy])
    expect(metas[0]?.attributes.get('charset')).toBe('utf-8')
  })

  it('says its language and its title, and has headings without a gap, one of them the first', () => {
    expect(elementsNamed(root, 'html')[0]?.attributes.get('lang')).toBe('en')
    expect(elementsNamed(root, 'title')[0]?.text).toBe('How tenants are confined on plain')
    const levels = elementsNamed(root, 'h1', 'h2', 'h3', 'h4').map(({ name }) => Number(name.slice(1)))
    expect(levels.filter((level) => level === 1)).toEqual([1])
    expect(levels[0]).toBe(1)
    levels.forEach((level, index) => {
      expect(level - (levels[index - 1] ?? level)).toBeLessThanOrEqual(1)
    })
    expect(['header', 'nav', 'main', 'footer'].map((name) => elementsNamed(root, name).length)).toEqual([1, 1, 1, 1])
  })

  it('leads from its contents to parts that are there, each once', () => {
    const ids = everyElement(root).flatMap(({ attributes }) => attributes.get('id') ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    const targets = everyElement(root).flatMap(({ attributes }) => attributes.get('href')?.slice(1) ?? [])
    const labels = everyElement(root).flatMap(({ attributes }) => attributes.get('aria-labelledby') ?? [])
    expect([...targets].sort()).toEqual([...ids].sort())
    expect([...labels].sort()).toEqual([...ids].sort())
  })

  it('has tables that can be heard: a caption, a heading for each column, and one for each row of rows', () => {
    const tables = elementsNamed(root, 'table')
    expect(tables.length).toBeGreaterThan(5)
    for (const table of tables) {
      expect(table.children[0]?.name).toBe('caption')
      expect(table.children[0]?.text).not.toBe('')
      for (const heading of elementsNamed(table, 'th'))
        expect(heading.attributes.get('scope')).toMatch(/^(col|row|rowgroup)$/)
      const columns = elementsNamed(table, 'thead').flatMap((head) => elementsNamed(head, 'th')).length
      for (const line of elementsNamed(table, 'tr')) {
        const width = line.children.reduce((sum, cell) => sum + Number(cell.attributes.get('colspan') ?? 1), 0)
        expect(width).toBe(columns)
      }
    }
  })
})

describe('what it tells', () => {
  const textOf = (reports: readonly AttackReport[], services: PageData['services'] = []): string =>
    parsePage(attackPage({ ...dataWith('here', reports), services })).text.replace(/\s+/g, ' ')

  const broken = row({
    ...{ row: '12', network: 'private', outcome: 'broken', promisedBy: ['net.private'] },
    ...{ sentence: 'reaches the machine by none of its addresses', because: ['it got through'] },
  })

  it('begins with the verdict, and with what was broken', () => {
    const good = row({ row: '6', promisedBy: ['pid.private'], sentence: 'does not see its neighbour' })
    const told = textOf([reportOf('sandbox', [good, broken])])
    expect(told).toContain('1 of 2 attacks broke a promise: sandbox 12.')
    const promises = told.slice(told.indexOf('Every promise'))
    expect(promises.indexOf('net.private')).toBeLessThan(promises.indexOf('pid.private'))
    expect(promises).toContain(
      '12brokennot so: reaches the machine by none of its addresses, on network "private"it got through',
    )
    expect(textOf([reportOf('sandbox', [good])])).toContain('No promise was broken: of 1 attacks')
  })

  it('has every promise of the isolation, and under each the rows that would break it', () => {
    const rows = [row({ row: '66', promisedBy: ['ipc.private', 'user.perTenantUid'], sentence: 'does not get at it' })]
    const page = parsePage(attackPage(dataWith('here', [reportOf('sandbox', rows)])))
    const groups = elementsNamed(page, 'tbody').filter((body) =>
      elementsNamed(body, 'th').some(({ attributes }) => attributes.get('scope') === 'rowgroup'),
    )
    const names = groups.map(({ children }) => children[0]?.text.split(':')[0])
    expect([...names].sort()).toEqual(
      [...Object.keys(builtinAdapters.get('sandbox')?.capabilities ?? {}), 'launcher'].sort(),
    )
    const holding = groups
      .filter(({ text }) => text.includes('does not get at it'))
      .map(({ text }) => text.split(':')[0]?.trim())
    expect(holding.sort()).toEqual(['ipc.private', 'user.perTenantUid'])
    expect(groups.find(({ text }) => text.includes('disk.quota'))?.text).toContain('as far as nobody works against it')
  })

  it('tells each row at least once, and what was lost with its reason', () => {
    const rows = ['1', '2', '17', '42', '64.memory', '80'].map((number, index) =>
      row({
        ...{ row: number, sentence: `sentence ${index}`, outcome: index % 2 === 0 ? 'not run' : 'allowed' },
        because: [`reason ${index}`],
      }),
    )
    const lost = [{ capability: 'res.memory', reason: 'no controller', fix: 'delegate it' }]
    const told = textOf([reportOf('sandbox', rows, { lost })])
    rows.forEach((_, index) => {
      expect(told).toContain(`sentence ${index}reason ${index}`)
    })
    expect(told).toContain('res.memory: no controller. What would help: delegate it')
    expect(told).toContain('its memory is bounded. cannot be kept on this machine: no controller')
  })

  it('calls nothing held that was not tried', () => {
    const told = textOf([
      reportOf('sandbox', [row({ row: '6', promisedBy: ['pid.private'], outcome: 'not run', because: ['no time'] })]),
    ])
    expect(told).toContain('it sees no process but its own. not tried')
    expect(told).not.toContain('. held')
  })

  it('counts every row in one area, so that the areas together are the whole', () => {
    const rows = Array.from({ length: 80 }, (_, index) => row({ row: String(index + 1) }))
    const page = parsePage(attackPage(dataWith('here', [reportOf('none', rows)])))
    const table = elementsNamed(page, 'table').find(({ children }) => children[0]?.text.includes('was set on'))
    const counts = elementsNamed(table ?? page, 'tr')
      .slice(1)
      .map(({ children }) => Number(children[2]?.text))
    expect(counts.length).toBeGreaterThan(4)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(80)
  })

  it('says of an isolation that cannot run here why, and that nothing was tried', () => {
    const told = textOf([
      reportOf('sandbox', [], { usable: false, problem: { reason: 'no bwrap', fix: 'install it' } }),
    ])
    expect(told).toContain('Nothing was attacked. Not tried, as it cannot run on this machine: sandbox.')
    expect(told).toContain('It cannot run on this machine: no bwrap. No attack was run. What would help: install it')
  })

  it('says of each service how exposed it is, by what, and whether it is started', () => {
    const told = textOf(
      [],
      [{ name: 'api', isolation: 'none', exposure: exposure('may write'), most: 5, isBroken: true }],
    )
    expect(told).toContain(
      'apinone 6.8 of 10, highA promise of its isolation was broken here: it is more exposed than this says.5: it is not started',
    )
    expect(told).toContain('0.50 of 0.50may writeTo close it: may write')
    expect(textOf([])).not.toContain('Services')
  })

  it('says when and on what it was made', () => {
    const told = textOf([])
    expect(told).toContain('Attacked on 2026-03-01 14:05 UTC, for 31.0s')
    for (const name of ['the kernel', 'bubblewrap', 'libseccomp', 'tenement', 'Node', 'who runs tenement'])
      expect(told).toContain(`${name}here`)
  })
})

describe('the colours', () => {
  const channel = (value: number): number => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
  /** WCAG 2.1, relative luminance. */
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) =>
      channel(Number.parseInt(colour.slice(at, at + 2), 16) / 255),
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const contrast = (one: string, other: string): number => {
    const [dim = 0, bright = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
    return (bright + 0.05) / (dim + 0.05)
  }
  const pairs = (colours: Colours) => inks.flatMap((ink) => grounds.map((ground) => [ink, ground, colours] as const))

  it('are measured as WCAG measures them', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5)
    expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2)
  })

  it.each([
    ...pairs(light).map((pair) => ['light', ...pair] as const),
    ...pairs(dark).map((pair) => ['dark', ...pair] as const),
  ])('in %s make %s on %s readable', (_, ink, ground, colours) => {
    expect(contrast(colours[ink], colours[ground])).toBeGreaterThanOrEqual(4.5)
  })

  it('of the style are those that are measured, and no others', () => {
    const used = [...style.matchAll(/var\(--([a-z]+)\)/g)].map(([, name]) => name)
    const known: readonly (string | undefined)[] = Object.keys(light)
    expect(used.filter((name) => !known.includes(name))).toEqual([])
    const rules = style.replace(/--[a-z]+:#[0-9a-f]{6}/g, '')
    expect(rules).not.toMatch(/#[0-9a-f]{3}|rgb|hsl|color:(?!var|inherit)[a-z]/)
  })
})
