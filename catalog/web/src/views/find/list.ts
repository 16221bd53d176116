/** The items that the address asks for, page by page. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, content, type Item, type Kind } from '../../api/client'
import { sentence } from '../../components/hooks'
import { filterOf } from '../../logic/filters'
import { metricOf } from '../../logic/metrics'

const PAGE = 30

export type Facets = Record<string, Record<string, number>>

interface Found {
  docs: Item[]
  next: string | null
  facets?: Facets | undefined
}

/** Without an order the server lists the newest first, which it does fastest. */
const SORTS: Record<string, string> = {
  oldest: '{"timestamp":"asc"}',
  name: '{"name":"asc"}',
  changed: '{"lastmod":"desc"}',
}

export function useList(query: URLSearchParams) {
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
  const by = query.get('sort') ?? 'newest'
  const metric = metricOf(by)
  const sort = metric ? JSON.stringify({ [by]: 'desc' }) : Object.hasOwn(SORTS, by) ? SORTS[by] : ''
  const asked = { ...common, after, ...(sort && { sort }) }
  const path = `/v1/${kind ?? 'models'}` as '/v1/models'
  const found = await content(api.GET(path, { params: { query: asked }, signal }))
  const { docs, hasNextPage, nextCursor } = found as unknown as {
    docs: Item[]
    hasNextPage: boolean
    nextCursor: string
  }
  return { docs, next: hasNextPage ? nextCursor : null }
}
