// Reads a page as far as its tests need: elements, nesting, and text. Strict, so that what a browser would mend is a failure here.

export interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: Element[]
  /** Of it and all that is in it. */
  text: string
}

const empty = new Set(['meta'])
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const decode = (text: string): string =>
  text.replace(/&([^;]*);/g, (_, name: string) => {
    const character = entities[name]
    if (character === undefined) throw new Error(`&${name}; is no entity that the page uses`)
    return character
  })

/** Throws for anything that is not closed in order, or that only a lenient reader would take. */
export const parsePage = (page: string): Element => {
  const root: Element = { name: 'document', attributes: new Map(), children: [], text: '' }
  const open: Element[] = [root]
  const top = (): Element => open.at(-1) ?? root
  const add = (text: string): void => {
    for (const element of open) element.text += text
  }
  let rest = page.replace(/^<!doctype html>\n/, '')
  if (rest === page) throw new Error('the page has no doctype')
  while (rest !== '') {
    const token = /^<(\/?)([a-z0-9]+)((?: [a-z-]+="[^"<>]*")*)>|^[^<>]+/.exec(rest)
    if (token === null) throw new Error(`no markup: ${rest.slice(0, 60)}`)
    const [whole, slash, name, attributes = ''] = token
    rest = rest.slice(whole.length)
    if (name === undefined) {
      add(decode(whole))
    } else if (slash === '/') {
      if (top().name !== name) throw new Error(`</${name}> closes <${top().name}>`)
      open.pop()
    } else {
      const pairs = [...attributes.matchAll(/ ([a-z-]+)="([^"]*)"/g)]
      const element: Element = {
        name,
        attributes: new Map(pairs.map(([, key = '', value = '']) => [key, decode(value)])),
        children: [],
        text: '',
      }
      top().children.push(element)
      if (empty.has(name)) continue
      open.push(element)
      if (name === 'style') {
        const end = rest.indexOf('</style>')
        add(rest.slice(0, end))
        rest = rest.slice(end)
      }
    }
  }
  if (open.length > 1) throw new Error(`<${top().name}> is never closed`)
  return root
}

export const everyElement = (element: Element): readonly Element[] => [
  element,
  ...element.children.flatMap(everyElement),
]

export const elementsNamed = (root: Element, ...names: readonly string[]): readonly Element[] =>
  everyElement(root).filter(({ name }) => names.includes(name))
