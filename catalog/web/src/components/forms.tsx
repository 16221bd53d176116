/** Parts that forms have in common. */
import { Code } from './parts'

interface Submitted {
  text: (name: string) => string
  /** As it was typed, with the spaces of a password. */
  exact: (name: string) => string
  reset: () => void
}

/** The fields of a form that is submitted, as texts. */
export function submitted(event: SubmitEvent): Submitted {
  event.preventDefault()
  const form = event.currentTarget as HTMLFormElement
  const fields = new FormData(form)
  const exact = (name: string) => String(fields.get(name) ?? '')
  return { text: (name) => exact(name).trim(), exact, reset: () => form.reset() }
}

/** A secret that the server tells once. */
export function OnlyOnce({ what, secret }: { what: string; secret: string }) {
  if (!secret) return null
  return (
    <div class="notice" role="status">
      <p>{what} It is shown only once.</p>
      <Code>{secret}</Code>
    </div>
  )
}

/** What a token may do, and for how long. */
export function TokenFields({ lives }: { lives: string[] }) {
  return (
    <>
      <label>
        Scope
        <select name="scope">
          <option value="read">read</option>
          <option value="write">read and write</option>
        </select>
      </label>
      <label>
        Valid for
        <select name="life">
          {lives.map((life) => (
            <option key={life} value={life}>
              {LIVES[life]}
            </option>
          ))}
        </select>
      </label>
    </>
  )
}

const LIVES: Record<string, string> = { '30d': '30 days', '90d': '90 days', '365d': 'a year' }
