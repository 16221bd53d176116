/** A table of values, as it is shown, drawn and saved. */

export type Cell = string | number | boolean | null

export interface Table {
  head: string[]
  rows: Cell[][]
}

/** The table as CSV (RFC 4180). A text that a spreadsheet would take for a formula begins with an apostrophe. */
export function csv({ head, rows }: Table): string {
  return [head, ...rows].map((row) => `${row.map(quoted).join(',')}\r\n`).join('')
}

function quoted(cell: Cell): string {
  if (cell === null) return ''
  const text = typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : String(cell)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
