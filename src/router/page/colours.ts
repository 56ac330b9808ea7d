// The colours of tenement's own pages, once for day and once for night, as data: a test computes their contrast.
// WCAG 2.1, 1.4.3: text needs 4.5 to 1 against what is behind it; the picture says nothing that the text does not.

interface Colours {
  readonly page: string
  readonly text: string
  readonly quiet: string
  readonly line: string
  readonly sun: string
  readonly moon: string
}

export const day: Colours = {
  page: '#faf7f2',
  text: '#23262f',
  quiet: '#5a6070',
  line: '#cdc6ba',
  sun: '#e8963c',
  moon: '#dcd7cd',
}

export const night: Colours = {
  page: '#12151c',
  text: '#ebe8e2',
  quiet: '#a4abba',
  line: '#3a4252',
  sun: '#f0ad5a',
  moon: '#2b313e',
}

export const declared = (colours: Colours): string =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';')
