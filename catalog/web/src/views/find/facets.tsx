import { Username } from '../../components/username'
import { place, setQuery } from '../../router'
import type { Facets } from './list'

export const FACETS: Record<string, string> = {
  tag: 'Tags',
  owner: 'Owners',
  license: 'Licenses',
  library: 'Libraries',
  alias: 'Aliases',
}
const SHOWN_VALUES = 8

/** A count, with a `+` where there are at least so many. */
const countOf = (count: number, facets: Facets | undefined): string =>
  `${count.toLocaleString('en')}${facets?.isExact === false ? '+' : ''}`

/** A word, with how many of the results have the value of a facet. */
export function counted(word: string, facets: Facets | undefined, facet: string, value: string): string {
  const count = facets?.counts[facet]?.[value]
  return count ? `${word} (${countOf(count, facets)})` : word
}

/** How many results there are, if that is counted; else -1. */
export function totalOf(facets: Facets | undefined, query: URLSearchParams): number {
  if (!facets?.isExact) return -1
  const kinds = facets.counts.kind ?? {}
  if (!query.has('q')) return kinds[query.get('kind') ?? 'models'] ?? -1
  return Object.values(kinds).reduce((sum, count) => sum + count, 0)
}

/** How often each value of a facet occurs among the results. A click adds it as a filter. */
export function Facet({ name, facets }: { name: string; facets: Facets | undefined }) {
  const { query } = place.value
  const values = Object.entries(facets?.counts[name] ?? {})
    .filter(([value]) => !query.getAll(name).includes(value))
    .sort(([, one], [, other]) => other - one) // the browser puts names that are numbers first
  if (!values.length) return null
  const add = (value: string) =>
    setQuery((change) => (name === 'tag' ? change.append(name, value) : change.set(name, value)))
  return (
    <>
      <h2 class="small-head">{FACETS[name]}</h2>
      <ul class="facets" aria-label={FACETS[name]}>
        {values.slice(0, SHOWN_VALUES).map(([value, count]) => (
          <li key={value}>
            <button type="button" class="quiet" onClick={() => add(value)}>
              <span class="one-line">{name === 'owner' ? <Username id={value} /> : value}</span>{' '}
              <span class="muted">{countOf(count, facets)}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
