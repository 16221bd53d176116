/** Parts that forms have in common. */
import type { ComponentChildren } from 'preact'
import { age, date } from './format'
import { useAction } from './hooks'
import { Code, Problem } from './parts'

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

interface AddProps {
  /** What its button says. */
  label: string
  /** Add it. The fields are as at first afterwards. */
  add: (fields: Submitted) => Promise<void>
  children: ComponentChildren
}

/** A row of fields, and the button that adds what they describe. */
export function AddForm({ label, add, children }: AddProps) {
  const { busy, error, run } = useAction()
  const submit = (event: SubmitEvent) => {
    const fields = submitted(event)
    run(async () => {
      await add(fields)
      fields.reset()
    })
  }
  return (
    <>
      <form class="row" onSubmit={submit}>
        {children}
        <button type="submit" class="main" aria-disabled={busy}>
          {label}
        </button>
      </form>
      <Problem>{error}</Problem>
    </>
  )
}

/** The same, where something is added seldom: it is opened for that. */
export function FoldedAddForm({ title, ...form }: AddProps & { title: string }) {
  return (
    <details>
      <summary>{title}</summary>
      <AddForm {...form} />
    </details>
  )
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

interface TokenLifeProps {
  token: { expires: string; used?: string | null | undefined }
}

/** How long a token is valid, and when it was last used. */
export function TokenLife({ token }: TokenLifeProps) {
  return (
    <span class="muted" title={date(token.expires)}>
      expires {age(token.expires)}, {token.used ? `used ${age(token.used)}` : 'never used'}
    </span>
  )
}
