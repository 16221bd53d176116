import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Problem } from './parts'

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
    if (failed) return <Problem>This part of the page cannot be loaded. Reload the page, and try again.</Problem>
    const View = loaded
    return View ? <View {...props} /> : <p class="muted">Loading…</p>
  }
}
