import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Refusal } from '../api/client'

export interface Loaded<T> {
  data?: T | undefined
  error?: string | undefined
  loading: boolean
  reload: () => void
}

/** Load something when one of `keys` changes. The answer to an older request is dropped. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, keys: unknown[]): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: string; loading: boolean }>({ loading: true })
  const [round, setRound] = useState(0)
  const latest = useRef(load)
  latest.current = load
  // Before the first picture is drawn: the request does not wait for it.
  useLayoutEffect(() => {
    const abort = new AbortController()
    setState((before) => ({ ...before, loading: true }))
    latest
      .current(abort.signal)
      .then((data) => !abort.signal.aborted && setState({ data, loading: false }))
      .catch((failure) => !abort.signal.aborted && setState({ error: sentence(failure), loading: false }))
    return () => abort.abort()
  }, [...keys, round])
  const reload = useCallback(() => setRound((before) => before + 1), [])
  return { ...state, reload }
}

export function sentence(failure: unknown): string {
  if (failure instanceof Refusal) return failure.message
  return failure instanceof Error ? failure.message : String(failure)
}

/** The value, once it has not changed for some milliseconds. `eager`: at once, if it has not changed before. */
export function useDebounced<T>(value: T, wait: number, eager = false): T {
  const [settled, setSettled] = useState(value)
  const changed = useRef(0)
  useLayoutEffect(() => {
    const now = Date.now()
    if (eager && now - changed.current > wait) setSettled(value)
    changed.current = now
    const timer = setTimeout(() => setSettled(value), wait)
    return () => clearTimeout(timer)
  }, [value, wait])
  return settled
}

/**
 * The text of a field that changes a value elsewhere, such as one of the address, once it has not changed for some
 * milliseconds. When the value changes by other means, the field shows it; what is typed meanwhile is not replaced by what
 * an earlier text has set.
 */
export function useSettling(
  value: string,
  wait: number,
  change: (settled: string) => void,
): [string, (typed: string) => void] {
  const [typed, setTyped] = useState(value)
  const settled = useDebounced(typed.trim(), wait)
  const own = useRef(value)
  useLayoutEffect(() => {
    if (settled === value) return
    own.current = settled
    change(settled)
  }, [settled])
  useLayoutEffect(() => {
    if (value === own.current) return
    own.current = value
    setTyped(value)
  }, [value])
  return [typed, setTyped]
}

/** Whether the screen is as a media query says. */
export function useMedia(query: string): boolean {
  const [list] = useState(() => matchMedia(query))
  const [matches, setMatches] = useState(list.matches)
  useLayoutEffect(() => {
    const change = () => setMatches(list.matches)
    list.addEventListener('change', change)
    return () => list.removeEventListener('change', change)
  }, [list])
  return matches
}

interface Action {
  /** Its buttons are `aria-disabled` then, and not disabled: they keep the focus. */
  busy: boolean
  error: string
  /** Do it, unless it is being done. The result says whether it succeeded. */
  run: (action: () => Promise<void>) => Promise<boolean>
}

/** An action of the user: whether it runs, and what went wrong. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState('')
  const running = useRef(false)
  const run = useCallback(async (action: () => Promise<void>) => {
    if (running.current) return false
    running.current = true
    setBusy(true)
    setError('')
    try {
      await action()
      return true
    } catch (failure) {
      setError(sentence(failure))
      return false
    } finally {
      running.current = false
      setBusy(false)
    }
  }, [])
  return { busy, error, run }
}
