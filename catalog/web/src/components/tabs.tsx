import type { ComponentChildren } from 'preact'
import { useId, useRef } from 'preact/hooks'

interface Props {
  label: string
  /** The names of the tabs, by key. */
  tabs: Record<string, string>
  now: string
  onPick: (key: string) => void
  children?: ComponentChildren
}

/** Tabs (the pattern of WAI-ARIA): the arrow keys go from one to the next, and Tab goes to what is below. */
export function Tabs({ label, tabs, now, onPick, children }: Props) {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const keys = Object.keys(tabs)
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!step) return
    event.preventDefault()
    // From the tab with the focus: the address, which says which is shown, may change a moment later.
    const at = keys.indexOf((event.target as HTMLElement).dataset.tab ?? now)
    const next = keys[(at + step + keys.length) % keys.length] as string
    onPick(next)
    list.current?.querySelector<HTMLElement>(`[data-tab="${next}"]`)?.focus()
  }
  return (
    <>
      <div ref={list} role="tablist" aria-label={label} class="tabs" onKeyDown={onKeyDown}>
        {keys.map((key) => (
          <button
            key={key}
            type="button"
            role="tab"
            data-tab={key}
            id={`${id}-${key}`}
            aria-selected={key === now}
            aria-controls={`${id}-panel`}
            tabIndex={key === now ? 0 : -1}
            onClick={() => onPick(key)}
          >
            {tabs[key]}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${now}`}>
        {children}
      </div>
    </>
  )
}
