/** The items that the address asks for, page by page. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { api, content, type Item, type Kind, listed } from '../../api/client'
import { sentence } from '../../components/hooks'
import { filterOf } from '../../logic/filters'
import { metricOf } from '../../logic/metrics'
import { keep, recalled } from './recalled'

const FIRST = 30 // results, which are there soon
const NEXT = 100

/** How often each value occurs, by facet. */
export interface Facets {
  counts: Record<string, Record<string, number>>
  /** Else there are at least so many of each value. */
  isExact: boolean
}

interface Found {
  docs: Item[]
  next: string | null
}

export interface ListState {
  items: Item[]
  next: string | null
  facets?: Facets | undefined
  error: string
  loading: boolean
  /** The number of the search that found the items. */
  search: number
}

let searches = 0

/** Without an order the server lists the newest first, which it does fastest. */
const SORTS: Record<string, string> = {
  oldest: '{"timestamp":"asc"}',
  name: '{"name":"asc"}',
  changed: '{"lastmod":"desc"}',
}

export function useList(query: URLSearchParams) {
  const [state, setState] = useState<ListState>({ items: [], next: null, error: '', loading: true, search: 0 })
  const key = query.toString()
  const running = useRef<AbortController | null>(null)
  const latest = useRef(state)
  latest.current = state

  const load = async (after: string, before: Item[]) => {
    running.current?.abort()
    const abort = new AbortController()
    running.current = abort
    const update = (change: Partial<ListState>) => abort.signal.aborted || setState((old) => ({ ...old, ...change }))
    update({ loading: true, error: '' })
    try {
      const found = await find(query, after, abort.signal)
      const items = before.length || found.docs.length ? [...before, ...found.docs] : before
      update({ items, next: found.next, loading: false, ...(!after && { search: ++searches }) })
    } catch (failure) {
      // What is still shown is of another search.
      update({ error: sentence(failure), loading: false, ...(!after && { items: [], next: null }) })
    }
  }
  useLayoutEffect(() => {
    const counting = new AbortController()
    const count = async () => {
      await load('', [])
      if (counting.signal.aborted) return
      const facets = await facetsOf(query, counting.signal)
      setState((old) => ({ ...old, facets }))
    }
    const before = recalled<ListState>(key)
    if (before) setState(before)
    else {
      setState((old) => ({ ...old, facets: undefined }))
      count().catch(() => undefined) // the list says what is wrong
    }
    const leave = keep(key, () => latest.current.items.length > 0 && { ...latest.current, loading: false })
    return () => {
      leave()
      running.current?.abort()
      counting.abort()
    }
  }, [key])
  return {
    ...state,
    hasMore: Boolean(state.next) && !state.error,
    more: () => {
      if (state.next && !state.loading) load(state.next, state.items)
    },
    /** After an error: ask again for what is missing. */
    retry: () => {
      load(state.items.length ? (state.next ?? '') : '', state.items)
    },
  }
}

/** What narrows a search, and the counts of facets. */
function narrowed(query: URLSearchParams) {
  const filter = filterOf(query)
  const kind = query.get('kind') as Kind | null
  const archived = query.get('archived') as 'true' | 'all' | null
  return { ...(kind && { kind: [kind] }), ...(filter && { filter }), ...(archived && { archived }) }
}

/** How often each value occurs. It takes longer than the first results, which do not wait for it. */
async function facetsOf(query: URLSearchParams, signal: AbortSignal): Promise<Facets> {
  const q = query.get('q')
  const asked = narrowed(query)
  const found = q
    ? await content(api.GET('/v1/search', { params: { query: { ...asked, q, limit: 1 } }, signal }))
    : await content(
        api.GET('/v1/search/facets', { params: { query: { kind: ['models' as const], ...asked } }, signal }),
      )
  return { counts: found.facets as Facets['counts'], isExact: found.facetsAreExact ?? true }
}

async function find(query: URLSearchParams, after: string, signal: AbortSignal): Promise<Found> {
  const filter = filterOf(query)
  const kind = query.get('kind') as Kind | null
  const archived = query.get('archived') as 'true' | 'all' | null
  const limit = after ? NEXT : FIRST
  const q = query.get('q')
  if (q) {
    const asked = { ...narrowed(query), q, limit, facets: 'false' as const, ...(after && { after }) }
    const found = await content(api.GET('/v1/search', { params: { query: asked }, signal }))
    return { docs: found.docs, next: found.hasNextPage ? found.nextCursor : null }
  }
  const by = query.get('sort') ?? 'newest'
  const metric = metricOf(by)
  const sort = metric ? JSON.stringify({ [by]: 'desc' }) : Object.hasOwn(SORTS, by) ? SORTS[by] : ''
  const asked = { limit, after, ...(filter && { filter }), ...(archived && { archived }), ...(sort && { sort }) }
  const path = `/v1/${kind ?? 'models'}` as '/v1/models'
  const { docs, nextCursor } = await listed<Item>(api.GET(path, { params: { query: asked }, signal }))
  return { docs, next: nextCursor }
}
