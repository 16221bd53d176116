import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Failed } from './parts'

/** What a user reads when the server is away, or has another version of the page by now. */
export const NOT_LOADED = 'This part of the page cannot be loaded. Reload the page, and try again.'

/** A view that is fetched when it is first opened. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): (props: P) => preact.JSX.Element {
  let loaded: ComponentType<P> | undefined
  return (props: P) => {
    const [, setRound] = useState(0)
    const [failed, setFailed] = useState(false)
    useEffect(() => {
      if (loaded) return
      load().then(
        (view) => {
          loaded = view
          setRound((round) => round + 1)
        },
        () => setFailed(true),
      )
    }, [])
    if (failed) return <Failed error={NOT_LOADED} onRetry={() => location.reload()} />
    const View = loaded
    return View ? <View {...props} /> : <p class="muted">Loading…</p>
  }
}
