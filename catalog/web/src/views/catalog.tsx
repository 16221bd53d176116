import { useEffect, useRef, useState } from 'preact/hooks'
import { api, content, type Item, KINDS, type Kind } from '../api/client'
import { suggestedTags, username } from '../api/lookups'
import { Completion } from '../components/completion'
import { age, plural } from '../components/format'
import { sentence, useDebounced } from '../components/hooks'
import { Chip, Problem } from '../components/parts'
import { filterOf } from '../logic/filters'
import { address, place, setQuery } from '../router'

const PAGE = 30

type Facets = Record<string, Record<string, number>>

interface Found {
  docs: Item[]
  next: string | null
  facets?: Facets | undefined
}

const SORTS: Record<string, string> = {
  newest: '{"timestamp":"desc"}',
  oldest: '{"timestamp":"asc"}',
  name: '{"name":"asc"}',
  changed: '{"lastmod":"desc"}',
}

export function CatalogView() {
  const { query } = place.value
  const [typed, setTyped] = useState(query.get('q') ?? '')
  const settled = useDebounced(typed.trim(), 120)
  useEffect(() => {
    if (settled === (place.value.query.get('q') ?? '')) return
    setQuery((change) => (settled ? change.set('q', settled) : change.delete('q')), true)
  }, [settled])
  // Back and forward change the address, and with it the field.
  const shown = query.get('q') ?? ''
  useEffect(() => setTyped((before) => (before.trim() === shown ? before : shown)), [shown])

  const list = useList(query)
  const kind = (query.get('kind') ?? '') as Kind | ''
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
        />
        <select aria-label="Kind" value={kind} onChange={(event) => set('kind', event.currentTarget.value)}>
          <option value="">{shown ? 'Everything' : 'Models'}</option>
          {KINDS.filter((each) => shown || each !== 'models').map((each) => (
            <option key={each} value={each}>
              {capital(each)}
            </option>
          ))}
        </select>
        {!shown && (
          <select
            aria-label="Sort"
            value={query.get('sort') ?? 'newest'}
            onChange={(event) => set('sort', event.currentTarget.value)}
          >
            <option value="newest">Newest first</option>
            <option value="changed">Changed last</option>
            <option value="name">By name</option>
            <option value="oldest">Oldest first</option>
          </select>
        )}
      </search>
      <div class="columns">
        <aside aria-label="Filters">
          <Completion
            label="Tag"
            placeholder="Add a tag"
            suggest={suggestedTags}
            onPick={(tag) => setQuery((change) => change.append('tag', tag))}
          />
          <Choice name="status" label="Status" values={['training', 'test', 'production', 'deploy']} />
          <Choice name="visibility" label="Visibility" values={['public', 'private']} />
          <Choice
            name="archived"
            label="Archived"
            values={['true', 'all']}
            words={['only archived', 'with archived']}
          />
          <FacetCounts facets={list.facets} />
        </aside>
        <div>
          <Chips />
          <Problem>{list.error}</Problem>
          <p class="muted" role="status">
            {list.loading ? 'Searching…' : !list.docs.length && !list.error ? 'Nothing found.' : ''}
          </p>
          <ul class="results">
            {list.docs.map((item) => (
              <Result key={item._id} item={item} kind={item.kind ?? ((kind || 'models') as Kind)} />
            ))}
          </ul>
          {list.hasMore && <More onMore={list.more} busy={list.loading} />}
        </div>
      </div>
    </section>
  )
}

function set(name: string, value: string) {
  setQuery((change) => (value ? change.set(name, value) : change.delete(name)))
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)

function Choice({ name, label, values, words }: { name: string; label: string; values: string[]; words?: string[] }) {
  return (
    <label>
      {label}
      <select value={place.value.query.get(name) ?? ''} onChange={(event) => set(name, event.currentTarget.value)}>
        <option value="">any</option>
        {values.map((value, index) => (
          <option key={value} value={value}>
            {words?.[index] ?? value}
          </option>
        ))}
      </select>
    </label>
  )
}

/** How often each value occurs among the results. A click adds it as a filter. */
function FacetCounts({ facets }: { facets: Facets | undefined }) {
  const tags = Object.entries(facets?.tag ?? {})
  if (!tags.length) return null
  return (
    <div>
      <h2 class="small-head">Tags of the results</h2>
      <ul class="facets">
        {tags.slice(0, 12).map(([tag, count]) => (
          <li key={tag}>
            <button type="button" class="quiet" onClick={() => setQuery((change) => change.append('tag', tag))}>
              {tag} <span class="muted">{count}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}

function cleared(query: URLSearchParams) {
  for (const name of FILTERS) query.delete(name)
}

const FILTERS = ['tag', 'owner', 'status', 'visibility', 'archived']

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
          {name === 'tag' ? value : `${name}: ${value}`}
        </Chip>
      ))}
      <button type="button" class="quiet" onClick={() => setQuery(cleared)}>
        Clear all
      </button>
    </p>
  )
}

function Result({ item, kind }: { item: Item; kind: Kind }) {
  const newest = item.versions.at(-1) // they are sorted by age
  return (
    <li class="result">
      <div class="result-head">
        <a href={address([kind, item._id])}>{item.name}</a>
        <span class="muted">
          {kind.slice(0, -1)} of <Username id={item.owner} />
        </span>
        {item.visibility === 'private' && <Chip>private</Chip>}
        {item.archived && <Chip>archived</Chip>}
      </div>
      {item.description && <p class="clamp">{item.description}</p>}
      <p class="chips">
        {item.tags.slice(0, 8).map((tag) => (
          <a key={tag} class="chip" href={address([], { ...(kind !== 'models' && { kind }), tag })}>
            {tag}
          </a>
        ))}
        {item.aliases.map((alias) => (
          <Chip key={alias.name} tone="alias">
            @{alias.name} → {alias.version}
          </Chip>
        ))}
        <span class="muted">
          {newest ? `version ${newest.ordinal}, ` : ''}
          {plural(item.versionsTotal, 'version')} · {age(item.lastmod)}
        </span>
      </p>
    </li>
  )
}

export function Username({ id }: { id: string }) {
  const [name, setName] = useState('')
  useEffect(() => {
    username(id).then(setName)
  }, [id])
  return <>{name || '…'}</>
}

/** Asks for the next results when it comes into view. It is a button, too, for keyboards. */
function More({ onMore, busy }: { onMore: () => void; busy: boolean }) {
  const element = useRef<HTMLButtonElement>(null)
  const latest = useRef(onMore)
  latest.current = onMore
  useEffect(() => {
    const watch = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && latest.current(), {
      rootMargin: '400px',
    })
    if (element.current) watch.observe(element.current)
    return () => watch.disconnect()
  }, [])
  return (
    <button ref={element} type="button" disabled={busy} onClick={onMore}>
      Show more
    </button>
  )
}

function useList(query: URLSearchParams) {
  const [state, setState] = useState<Found & { error: string; loading: boolean }>({
    docs: [],
    next: null,
    error: '',
    loading: true,
  })
  const key = query.toString()
  const running = useRef<AbortController | null>(null)

  const load = async (after: string, before: Item[]) => {
    running.current?.abort()
    const abort = new AbortController()
    running.current = abort
    setState((old) => ({ ...old, loading: true, error: '' }))
    try {
      const found = await find(query, after, abort.signal)
      if (abort.signal.aborted) return
      setState((old) => ({
        docs: [...before, ...found.docs],
        next: found.next,
        facets: found.facets ?? (after ? old.facets : undefined),
        error: '',
        loading: false,
      }))
    } catch (failure) {
      if (!abort.signal.aborted) setState((old) => ({ ...old, error: sentence(failure), loading: false }))
    }
  }
  useEffect(() => {
    load('', [])
    return () => running.current?.abort()
  }, [key])
  return {
    ...state,
    hasMore: Boolean(state.next) && !state.error,
    more: () => {
      if (state.next && !state.loading) load(state.next, state.docs)
    },
  }
}

async function find(query: URLSearchParams, after: string, signal: AbortSignal): Promise<Found> {
  const q = query.get('q')
  const filter = filterOf(query)
  const kind = query.get('kind') as Kind | null
  const archived = query.get('archived') as 'true' | 'all' | null
  const common = { limit: PAGE, ...(filter && { filter }), ...(archived && { archived }) }
  if (q) {
    const asked = { ...common, q, ...(kind && { kind: [kind] }), ...(after && { after }) }
    const found = await content(api.GET('/v1/search', { params: { query: asked }, signal }))
    return { docs: found.docs, next: found.hasNextPage ? found.nextCursor : null, facets: found.facets as Facets }
  }
  const sort = SORTS[query.get('sort') ?? 'newest'] as string
  const asked = { ...common, after, sort }
  const path = `/v1/${kind ?? 'models'}` as '/v1/models'
  const found = await content(api.GET(path, { params: { query: asked }, signal }))
  const { docs, hasNextPage, nextCursor } = found as unknown as {
    docs: Item[]
    hasNextPage: boolean
    nextCursor: string
  }
  return { docs, next: hasNextPage ? nextCursor : null }
}
