const UNITS = ['', 'k', 'm', 'g', 't']

/** The number of bytes of a text such as `10G`, `1.5 GiB` or `500 MB`; 0 of an empty one. Throws an Error. */
export function bytesOf(text: string): number {
  const [, number, unit = ''] = /^([\d.]+)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? []
  if (!text.trim()) return 0
  const bytes = Math.round(Number(number) * 1024 ** UNITS.indexOf(unit.toLowerCase()))
  if (!Number.isSafeInteger(bytes)) throw new Error(`${text} is not a size such as 500M or 10G.`)
  return bytes
}
