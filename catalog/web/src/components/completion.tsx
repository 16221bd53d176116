import { useId, useLayoutEffect, useState } from 'preact/hooks'
import { useDebounced } from './hooks'

export interface Suggestion {
  value: string
  id?: string
  /** Shown behind it, such as a count. */
  note?: string
}

interface Props {
  label: string
  placeholder?: string
  suggest: (text: string, signal: AbortSignal) => Promise<Suggestion[]>
  onPick: (value: string) => void
  /** Whether a text that is not suggested can be picked. */
  free?: boolean
}

const LONGEST = 255 // characters
const WAIT = 80 // milliseconds without a key press, before the server is asked again

/** A text field with suggestions (the combobox pattern of WAI-ARIA). It is empty again after a choice. */
export function Completion({ label, placeholder, suggest, onPick, free }: Props) {
  const id = useId()
  const [text, setText] = useState('')
  const [{ found, round }, setAnswer] = useState({ found: [] as Suggestion[], round: 0 })
  const [active, setActive] = useState(-1)
  const [open, setOpen] = useState(false)
  const asked = useDebounced(text, WAIT, true)

  const setFound = (found: Suggestion[]) => setAnswer((before) => ({ found, round: before.round + 1 }))
  useLayoutEffect(() => {
    if (!open) return
    const abort = new AbortController()
    suggest(asked, abort.signal).then(
      (answer) => {
        if (abort.signal.aborted) return
        setFound(answer)
        setActive(-1)
      },
      () => abort.signal.aborted || setFound([]),
    )
    return () => abort.abort()
  }, [asked, open])

  const pick = (value: string) => {
    if (!value.trim()) return
    onPick(value.trim())
    setText('')
    setFound([])
    setOpen(false)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) {
      event.preventDefault()
      setOpen(true)
      setActive((before) => (found.length ? (before + step + found.length) % found.length : -1))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      const chosen = found[active]?.value ?? (free ? text : found[0]?.value)
      if (chosen) pick(chosen)
    } else if (event.key === 'Escape') {
      setOpen(false)
    }
  }
  return (
    <div class="completion">
      <label for={`${id}-field`}>{label}</label>
      <input
        id={`${id}-field`}
        role="combobox"
        autoComplete="off"
        maxLength={LONGEST}
        aria-expanded={open && found.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
        value={text}
        placeholder={placeholder}
        onInput={(event) => {
          setText(event.currentTarget.value)
          setOpen(true)
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <div id={`${id}-list`} role="listbox" aria-label={`Suggestions: ${label}`} hidden={!open || !found.length}>
        {found.map((each, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field handles the keys of the list
          <div
            key={`${round} ${each.value}`} // each answer has rows of its own, so that none moves
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => pick(each.value)}
          >
            <span>{each.value}</span>
            {each.note && <span class="muted">{each.note}</span>}
          </div>
        ))}
      </div>
    </div>
  )
}
