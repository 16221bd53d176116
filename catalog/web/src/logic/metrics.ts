/** Metadata of versions as columns of a table. */
import type { components } from '../api/schema'

type Annotated = { metadata: components['schemas']['Pair'][] }

export interface Order {
  /** The name of a metadata pair. Empty: the order of the versions themselves. */
  by: string
  ascending: boolean
}

const METRICS = 3

export const metadata = (row: Annotated, name: string) => row.metadata.find((pair) => pair.name === name)?.value

const LATEST = 'latest.'

/** What an order by a value of the latest version names, such as `latest.accuracy`; empty for another order. */
export const metricOf = (order: string): string => (order.startsWith(LATEST) ? order.slice(LATEST.length) : '')

/** The names that versions have, those of numbers first, and of these what most versions have. */
export function namesOf(rows: Annotated[]): string[] {
  const numbers = ranked(rows, (value) => typeof value === 'number')
  return [...numbers, ...ranked(rows, (value) => typeof value !== 'number').filter((name) => !numbers.includes(name))]
}

/** The numbers that most versions have. */
export const commonMetrics = (rows: Annotated[]): string[] =>
  ranked(rows, (value) => typeof value === 'number').slice(0, METRICS)

function ranked(rows: Annotated[], fits: (value: unknown) => boolean): string[] {
  const counts = new Map<string, number>()
  for (const row of rows) {
    for (const pair of row.metadata) {
      if (fits(pair.value)) counts.set(pair.name, (counts.get(pair.name) ?? 0) + 1)
    }
  }
  return [...counts].sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0])).map(([name]) => name)
}

/** An order as the address has it: a name, with a minus in front of it for the smallest first. */
export function orderOf(text: string | null): Order {
  if (!text) return { by: '', ascending: false }
  return text.startsWith('-') ? { by: text.slice(1), ascending: true } : { by: text, ascending: false }
}

export const orderText = ({ by, ascending }: Order): string => `${ascending ? '-' : ''}${by}`

/** The order for the server, which sorts lists that are too long to be here. */
export const serverSort = ({ by, ascending }: Order): string =>
  JSON.stringify(by ? { [`metadata.${by}`]: ascending ? 'asc' : 'desc' } : { number: ascending ? 'asc' : 'desc' })

export function ordered<T extends Annotated>(rows: T[], { by, ascending }: Order): T[] {
  if (!by) return ascending ? [...rows].reverse() : rows
  const key = (row: T) => {
    const found = metadata(row, by)
    return typeof found === 'number' ? found : Number.NaN
  }
  // What has no value comes last, in either direction.
  return [...rows].sort((one, other) => {
    const [left, right] = [key(one), key(other)]
    if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right))
    return ascending ? left - right : right - left
  })
}
