import { Username } from '../../components/username'
import { place, setQuery } from '../../router'
import type { Facets } from './list'

const FACETS: Record<string, string> = {
  tag: 'Tags',
  owner: 'Owners',
  license: 'Licenses',
  library: 'Libraries',
  alias: 'Aliases',
  stage: 'Stages',
}
const SHOWN_VALUES = 8

/** A count, with a `+` where there are at least so many. */
export const countOf = (count: number, facets: Facets | undefined): string =>
  `${count.toLocaleString('en')}${facets?.isExact === false ? '+' : ''}`

/** How often each value occurs among the results. A click adds it as a filter. */
export function FacetCounts({ facets }: { facets: Facets | undefined }) {
  const { query } = place.value
  return (
    <>
      {Object.entries(FACETS).map(([name, title]) => {
        const values = Object.entries(facets?.counts[name] ?? {}).filter(
          ([value]) => !query.getAll(name).includes(value),
        )
        if (!values.length) return null
        return (
          <div key={name}>
            <h2 class="small-head">{title} of the results</h2>
            <ul class="facets">
              {values.slice(0, SHOWN_VALUES).map(([value, count]) => (
                <li key={value}>
                  <button
                    type="button"
                    class="quiet"
                    onClick={() =>
                      setQuery((change) => (name === 'tag' ? change.append(name, value) : change.set(name, value)))
                    }
                  >
                    {name === 'owner' ? <Username id={value} /> : value}{' '}
                    <span class="muted">{countOf(count, facets)}</span>
                  </button>
                </li>
              ))}
            </ul>
          </div>
        )
      })}
    </>
  )
}
