import { useState } from 'preact/hooks'
import { suggestedNames, suggestedTags } from '../../api/lookups'
import { Completion } from '../../components/completion'
import { useMedia } from '../../components/hooks'
import { Chip } from '../../components/parts'
import { Username } from '../../components/username'
import { place, setQuery } from '../../router'
import { counted, FACETS, Facet } from './facets'
import type { Facets } from './list'

/** On a narrow screen they are opened when they are needed. */
export function Filters({ hasText, facets }: { hasText: boolean; facets: Facets | undefined }) {
  const wide = useMedia('(min-width: 60rem)')
  const [open, setOpen] = useState(false)
  return (
    <details class="filters" open={wide || open} onToggle={(event) => wide || setOpen(event.currentTarget.open)}>
      <summary>Filters</summary>
      <aside aria-label="Filters">
        <Completion
          label="Tag"
          placeholder="Add a tag"
          suggest={suggestedTags}
          onPick={(tag) => setQuery((change) => change.append('tag', tag))}
        />
        <Choice name="status" label="Status" values={['training', 'test', 'production', 'deploy']} facets={facets} />
        <Choice
          name="stage"
          label="Stage of a version"
          values={['staging', 'production', 'archived']}
          facets={facets}
        />
        <Choice name="visibility" label="Visibility" values={['public', 'private']} facets={facets} />
        <Choice name="archived" label="Archived" values={['true', 'all']} words={['only archived', 'with archived']} />
        {!hasText && (
          <Completion
            label="Sort by a value of the latest version"
            placeholder="accuracy"
            free
            suggest={suggestedNames}
            onPick={(name) => set('sort', `latest.${name}`)}
          />
        )}
        {/* They come after the results: nothing stands below them that would move. */}
        {Object.keys(FACETS).map((name) => (
          <Facet key={name} name={name} facets={facets} />
        ))}
      </aside>
    </details>
  )
}

export function set(name: string, value: string) {
  setQuery((change) => (value ? change.set(name, value) : change.delete(name)))
}

interface ChoiceProps {
  name: string
  label: string
  values: string[]
  words?: string[]
  /** With how many of the results have each value. */
  facets?: Facets | undefined
}

function Choice({ name, label, values, words, facets }: ChoiceProps) {
  return (
    <label>
      {label}
      <select value={place.value.query.get(name) ?? ''} onChange={(event) => set(name, event.currentTarget.value)}>
        <option value="">any</option>
        {values.map((value, index) => (
          <option key={value} value={value}>
            {counted(words?.[index] ?? value, facets, name, value)}
          </option>
        ))}
      </select>
    </label>
  )
}

function cleared(query: URLSearchParams) {
  for (const name of FILTERS) query.delete(name)
}

export const FILTERS = ['tag', 'owner', 'status', 'visibility', 'license', 'library', 'alias', 'stage', 'archived']

/** The filters that are set. */
export function Chips() {
  const set = [...place.value.query].filter(([name]) => FILTERS.includes(name))
  if (!set.length) return null
  return (
    <p class="chips">
      {set.map(([name, value]) => (
        <Chip
          key={`${name}=${value}`}
          label={`${name} ${value}`}
          onRemove={() => setQuery((change) => change.delete(name, value))}
        >
          {name === 'tag' ? value : <Filter name={name} value={value} />}
        </Chip>
      ))}
      <button type="button" class="quiet" onClick={() => setQuery(cleared)}>
        Clear all
      </button>
    </p>
  )
}

function Filter({ name, value }: { name: string; value: string }) {
  return (
    <>
      {name}: {name === 'owner' ? <Username id={value} /> : value}
    </>
  )
}
