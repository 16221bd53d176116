const MOST_ROWS = 200

/** The cells of a text with separators (RFC 4180): quoted cells may hold separators, quotes and line ends. */
export function cells(text: string, separator: string, most = MOST_ROWS): string[][] {
  const rows: string[][] = [[]]
  let cell = ''
  let quoted = false
  for (let index = 0; index < text.length && rows.length <= most; index += 1) {
    const character = text[index] as string
    if (quoted) {
      if (character !== '"') cell += character
      else if (text[index + 1] === '"') {
        cell += '"'
        index += 1
      } else quoted = false
    } else if (character === '"' && !cell) quoted = true
    else if (character === separator || character === '\n') {
      rows.at(-1)?.push(cell.replace(/\r$/, ''))
      cell = ''
      if (character === '\n') rows.push([])
    } else cell += character
  }
  if (cell) rows.at(-1)?.push(cell)
  return rows.filter((row) => row.length).slice(0, most)
}
