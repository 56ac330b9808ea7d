// Text → the same text in HTML, as the content of an element or between the quotes of an attribute (HTML Standard, 13.1.2.3 and 13.3).
// Characters that would turn or hide the text around them stay: who shows names of others makes those visible before.

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
