import { useEffect, useState } from 'preact/hooks'
import { KINDS, type Kind } from '../../api/client'
import { suggestedNames, suggestedTags } from '../../api/lookups'
import { Completion } from '../../components/completion'
import { plural } from '../../components/format'
import { useDebounced, useMedia } from '../../components/hooks'
import { Chip } from '../../components/parts'
import { useTitle } from '../../components/title'
import { Username } from '../../components/username'
import { metricOf } from '../../logic/metrics'
import { place, setQuery } from '../../router'
import { countOf, FACETS, Facet } from './facets'
import { FirstSteps } from './first-steps'
import { type Facets, useList } from './list'
import { More, moreKey, Results } from './results'
import { Suggestions } from './suggestions'

export function CatalogView() {
  const { query } = place.value
  const [typed, setTyped] = useState(query.get('q') ?? '')
  const settled = useDebounced(typed.trim(), 120)
  const completed = useDebounced(typed.trim(), 80, true)
  useEffect(() => {
    if (settled === (place.value.query.get('q') ?? '')) return
    setQuery((change) => (settled ? change.set('q', settled) : change.delete('q')), true)
  }, [settled])
  // Back and forward change the address, and with it the field.
  const shown = query.get('q') ?? ''
  useEffect(() => setTyped((before) => (before.trim() === shown ? before : shown)), [shown])

  const list = useList(query)
  const isEmpty = !list.loading && !list.error && !list.items.length && !list.hasMore && !query.size
  useTitle(shown, query.getAll('tag').join(', '))
  const [isReady, setReady] = useState(false) // the first results do not wait for anything else
  useEffect(() => {
    if (!list.loading) setReady(true)
  }, [list.loading])
  const kind = (query.get('kind') ?? '') as Kind | ''
  const sort = query.get('sort') ?? 'newest'
  const metric = metricOf(sort)
  return (
    <section>
      <h1 class="hidden">Find models and datasets</h1>
      <search class="search">
        <label class="hidden" for="search">
          Search
        </label>
        <input
          id="search"
          type="search"
          value={typed}
          placeholder="Search names, tags, metadata and descriptions"
          autoComplete="off"
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'ArrowDown' && focusFirst(event)}
        />
        <select aria-label="Kind" value={kind} onChange={(event) => set('kind', event.currentTarget.value)}>
          <option value="">{shown ? 'Everything' : counted('Models', list.facets, 'kind', 'models')}</option>
          {KINDS.filter((each) => shown || each !== 'models').map((each) => (
            <option key={each} value={each}>
              {counted(capital(each), list.facets, 'kind', each)}
            </option>
          ))}
        </select>
        {shown ? (
          // It stays in its place, so that nothing moves during typing.
          <select aria-label="Sort" disabled>
            <option>Best match first</option>
          </select>
        ) : (
          <select aria-label="Sort" value={sort} onChange={(event) => set('sort', event.currentTarget.value)}>
            {metric && <option value={sort}>By {metric}, largest first</option>}
            <option value="newest">Newest first</option>
            <option value="changed">Changed last</option>
            <option value="name">By name</option>
            <option value="oldest">Oldest first</option>
          </select>
        )}
      </search>
      <Suggestions text={completed} kind={kind} ready={isReady} onPick={() => setTyped('')} />
      <div class="columns">
        <Filters hasText={Boolean(shown)} facets={list.facets} />
        <div>
          <Chips />
          {isEmpty && <FirstSteps />}
          <p class="muted state" role="status">
            {isEmpty ? '' : stateOf(list)}
          </p>
          <Results
            items={list.items}
            kind={(kind || 'models') as Kind}
            total={list.hasMore ? undefined : list.items.length}
          />
          {list.error && (
            <div class="problem" role="alert">
              <p>{list.error}</p>
              <button type="button" onClick={list.retry}>
                Try again
              </button>
            </div>
          )}
          {list.hasMore && <More key={moreKey(list.items.length)} onMore={list.more} busy={list.loading} />}
        </div>
      </div>
    </section>
  )
}

/** From the field to what is suggested below it. */
function focusFirst(event: KeyboardEvent) {
  const first = document.querySelector<HTMLElement>('.suggestions :is(a, button)')
  if (!first) return
  event.preventDefault()
  first.focus()
}

/** A word, with how many of the results have the value of a facet. */
function counted(word: string, facets: Facets | undefined, facet: string, value: string): string {
  const count = facets?.counts[facet]?.[value]
  return count ? `${word} (${countOf(count, facets)})` : word
}

/** What the list holds, in a place of its own, so that nothing moves when it changes. */
function stateOf({ items, loading, hasMore, error }: ReturnType<typeof useList>): string {
  if (error) return ''
  if (loading && !items.length) return 'Searching…'
  if (items.length)
    return hasMore || loading ? `The first ${plural(items.length, 'result')}` : plural(items.length, 'result')
  return hasMore ? 'Searching…' : 'Nothing found.'
}

/** On a narrow screen they are opened when they are needed. */
function Filters({ hasText, facets }: { hasText: boolean; facets: Facets | undefined }) {
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

function set(name: string, value: string) {
  setQuery((change) => (value ? change.set(name, value) : change.delete(name)))
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

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

const FILTERS = ['tag', 'owner', 'status', 'visibility', 'license', 'library', 'alias', 'stage', 'archived']

function Chips() {
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
