import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { isConflict } from '../api/client'
import { sentence } from './hooks'
import { Problem } from './parts'

interface Props {
  /** Throws what went wrong, which is said above the fields. */
  save: (form: HTMLFormElement) => Promise<void>
  /** What a user does about a change that was made meanwhile. */
  onConflict?: string
  label?: string
  children: ComponentChildren
}

/** The fields of something that is edited, and the button that saves them. */
export function SaveForm({ save, onConflict = '', label = 'Save', children }: Props) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState('')
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setError('')
    try {
      await save(event.currentTarget as HTMLFormElement)
    } catch (failure) {
      setError(
        isConflict(failure) ? `Another user changed this while you were editing. ${onConflict}` : sentence(failure),
      )
    } finally {
      setBusy(false)
    }
  }
  return (
    <form class="stack" onSubmit={submit}>
      <Problem>{error}</Problem>
      {children}
      <p>
        <button type="submit" class="main" aria-disabled={busy}>
          {busy ? 'Saving…' : label}
        </button>
      </p>
    </form>
  )
}
