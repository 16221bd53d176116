import { useSettling } from './hooks'

interface Props {
  label: string
  value: string
  placeholder?: string
  onChange: (value: string) => void
}

/** A text field that a list is filtered by, once it has not changed for a moment. */
export function FilterField({ label, value, placeholder, onChange }: Props) {
  const [typed, setTyped] = useSettling(value, 200, onChange)
  return (
    <label>
      {label}
      <input
        type="search"
        value={typed}
        placeholder={placeholder}
        autoComplete="off"
        onInput={(event) => setTyped(event.currentTarget.value)}
      />
    </label>
  )
}
