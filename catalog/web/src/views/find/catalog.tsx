import { useEffect, useState } from 'preact/hooks'
import { KINDS, type Kind } from '../../api/client'
import { plural } from '../../components/format'
import { useDebounced, useSettling } from '../../components/hooks'
import { Failed } from '../../components/parts'
import { useTitle } from '../../components/title'
import { metricOf } from '../../logic/metrics'
import { place, setQuery } from '../../router'
import { counted, totalOf } from './facets'
import { Chips, FILTERS, Filters, set } from './filters'
import { FirstSteps } from './first-steps'
import { useList } from './list'
import { More, moreKey, Results } from './results'
import { Suggestions } from './suggestions'

const LONGEST = 128 // characters of a search

export function CatalogView() {
  const { query } = place.value
  const shown = query.get('q') ?? ''
  const [typed, setTyped] = useSettling(shown, 120, (settled) =>
    setQuery((change) => (settled ? change.set('q', settled) : change.delete('q')), true),
  )
  const completed = useDebounced(typed.trim(), 80, true)

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
          maxLength={LONGEST}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onKeyDown={(event) => event.key === 'ArrowDown' && focusFirst(event)}
        />
        <select
          aria-label="Kind"
          value={shown || kind !== 'models' ? kind : ''}
          onChange={(event) => set('kind', event.currentTarget.value)}
        >
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
      {isEmpty && <FirstSteps />}
      <div class="columns" hidden={isEmpty}>
        <Filters hasText={Boolean(shown)} facets={list.facets} />
        <div>
          <div class="state">
            <p class="muted" role="status">
              {stateOf(list, query)}
            </p>
            <Chips />
          </div>
          <Results
            items={list.items}
            search={list.search}
            kind={(kind || 'models') as Kind}
            total={list.hasMore ? undefined : list.items.length}
          />
          {list.error && <Failed error={list.error} onRetry={list.retry} />}
          {list.hasMore && (
            <More key={moreKey(list.search, list.items.length)} onMore={list.more} busy={list.loading} />
          )}
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

/** What the list holds, in a place of its own, so that nothing moves when it changes. */
function stateOf(list: ReturnType<typeof useList>, query: URLSearchParams): string {
  const { items, loading, hasMore, error } = list
  if (error) return ''
  if (loading && !items.length) return 'Searching…'
  if (items.length) {
    const total = hasMore || loading ? totalOf(list.facets, query) : items.length
    return total >= items.length ? plural(total, 'result') : `The first ${plural(items.length, 'result')}`
  }
  if (hasMore) return 'Searching…'
  const text = query.get('q')
  const isFiltered = FILTERS.some((name) => query.has(name))
  return `Nothing found${text ? ` for “${text}”` : ''}${isFiltered ? ' with these filters' : ''}.`
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
