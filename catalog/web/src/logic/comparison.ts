/** What a comparison of versions shows, as tables: each plot is drawn from one. */
import type { components } from '../api/schema'
import type { Cell, Table } from './table'

export type Comparison = components['schemas']['ComparedVersions']
export type FromFirst = components['schemas']['FromFirst']

export const MOST_COMPARED = 8
export const PLOTS = { line: 'One metric', profile: 'Several metrics', bars: 'Bars', scatter: 'Two metrics' } as const
export type PlotKind = keyof typeof PLOTS

const PROFILE = 6
/** What training is set to, rather than what comes out of it: shown last among the metrics. */
const SETTING = /epoch|rate|seed|batch|step|parameter|size|count/i

/** The names that are a number in at least two versions. What differs comes first, and results before settings. */
export function metricsOf(found: Comparison): string[] {
  const rank = (row: Comparison['metadata'][number]) => Number(!row.differs) * 2 + Number(SETTING.test(row.name))
  return found.metadata
    .filter((row) => row.values.filter((value) => typeof value === 'number').length > 1)
    .sort((one, other) => rank(one) - rank(other))
    .map((row) => row.name)
}

export interface PlotChoice {
  kind: PlotKind
  x: string
  y: string
  metrics: string[]
}

/** The plot of the address, with metrics that the versions have. */
export function plotOf(query: URLSearchParams, metrics: string[]): PlotChoice {
  const known = (name: string | null, otherwise: number) =>
    name && metrics.includes(name) ? name : (metrics[otherwise] ?? metrics[0] ?? '')
  const kind = query.get('plot')
  const chosen = query.getAll('m').filter((name) => metrics.includes(name))
  return {
    kind: kind && Object.hasOwn(PLOTS, kind) ? (kind as PlotKind) : 'line',
    x: known(query.get('x'), 1),
    y: known(query.get('y'), 0),
    metrics: chosen.length ? chosen : metrics.slice(0, PROFILE),
  }
}

export const labels = (found: Comparison): string[] =>
  found.versions.map((version) => [version.ordinal, ...version.aliases.map((alias) => `@${alias}`)].join(' '))

/** The values of a plot, one row for each version. */
export function plotted(found: Comparison, plot: PlotChoice): Table {
  const names = { line: [plot.y], profile: plot.metrics, bars: plot.metrics, scatter: [plot.x, plot.y] }[plot.kind]
  const columns = names.map((name) => found.metadata.find((row) => row.name === name)?.values ?? [])
  const rows = labels(found).map((label, index): Cell[] => [label, ...columns.map((values) => numeric(values[index]))])
  return { head: ['version', ...names], rows }
}

const COMPARABLE = 20

/** The heights of bars: the values, or their share of each metric's largest where metrics differ too much in size. */
export function heights({ head, rows }: Table): { isShare: boolean; rows: (number | null)[][] } {
  const sizes = head
    .slice(1)
    .map((_, metric) => Math.max(...rows.map((row) => Math.abs(numeric(row[metric + 1]) ?? 0))))
  const seen = sizes.filter(Boolean)
  const isShare = Math.max(...seen) > COMPARABLE * Math.min(...seen)
  const height = (cell: Cell | undefined, size: number) => {
    const value = numeric(cell)
    return value === null || !isShare ? value : value / (size || 1)
  }
  return { isShare, rows: rows.map((row) => sizes.map((size, metric) => height(row[metric + 1], size))) }
}

const numeric = (value: unknown): number | null => (typeof value === 'number' ? value : null)

/** The metadata of all versions, as a table to save. */
export function metadataTable(found: Comparison): Table {
  return {
    head: ['name', ...labels(found)],
    rows: found.metadata.map((row) => [row.name, ...row.values]),
  }
}

/** How much a number differs from that of the first version, with its sign. */
export function change(of: number | null | undefined): string {
  if (!of) return ''
  const rounded = Number(of.toPrecision(3))
  return rounded > 0 ? `+${rounded}` : `−${-rounded}`
}
