import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Page } from '../api/client'
import { sentence } from './hooks'

export interface Paged<T> {
  docs: T[]
  error: string
  loading: boolean
  hasMore: boolean
  more: () => void
  reload: () => void
}

/** A list that is loaded page by page, from the start again when one of `keys` changes. */
export function usePaged<T>(load: (after: string, signal: AbortSignal) => Promise<Page<T>>, keys: unknown[]): Paged<T> {
  const [state, setState] = useState({ docs: [] as T[], next: null as string | null, error: '', loading: true })
  const [round, setRound] = useState(0)
  const latest = useRef(load)
  latest.current = load
  const running = useRef<AbortController | null>(null)
  const from = async (after: string) => {
    running.current?.abort()
    const abort = new AbortController()
    running.current = abort
    setState((before) => ({ ...before, loading: true, error: '' }))
    try {
      const page = await latest.current(after, abort.signal)
      if (abort.signal.aborted) return
      setState((before) => ({
        docs: after ? [...before.docs, ...page.docs] : page.docs,
        next: page.nextCursor,
        error: '',
        loading: false,
      }))
    } catch (failure) {
      if (!abort.signal.aborted) setState((before) => ({ ...before, error: sentence(failure), loading: false }))
    }
  }
  useLayoutEffect(() => {
    from('')
    return () => running.current?.abort()
  }, [...keys, round])
  return {
    docs: state.docs,
    error: state.error,
    loading: state.loading,
    hasMore: state.next !== null && !state.error,
    more: () => {
      if (state.next && !state.loading) from(state.next)
    },
    reload: () => setRound((before) => before + 1),
  }
}
