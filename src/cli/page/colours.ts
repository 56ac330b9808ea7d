// The colours of the page, once for light and once for dark, as data: a test computes the contrast of every pair that is used.
// WCAG 2.1, 1.4.3: text needs 4.5 to 1 against what is behind it.

export interface Colours {
  readonly page: string
  readonly panel: string
  readonly line: string
  readonly text: string
  readonly quiet: string
  readonly good: string
  readonly fair: string
  readonly bad: string
}

export const light: Colours = {
  page: '#ffffff',
  panel: '#f3f5f8',
  line: '#c3cad5',
  text: '#16202c',
  quiet: '#4d5b6b',
  good: '#12683a',
  fair: '#7a4b00',
  bad: '#a8071a',
}

export const dark: Colours = {
  page: '#11161d',
  panel: '#1a222c',
  line: '#3a4757',
  text: '#e8edf3',
  quiet: '#a9b6c5',
  good: '#6fd39b',
  fair: '#f0b95b',
  bad: '#ff8d8d',
}

export const inks = ['text', 'quiet', 'good', 'fair', 'bad'] as const satisfies readonly (keyof Colours)[]
export const grounds = ['page', 'panel'] as const satisfies readonly (keyof Colours)[]

export const declared = (colours: Colours): string =>
  Object.entries(colours)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';')
