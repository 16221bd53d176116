import { useState } from 'preact/hooks'
import { refusal, route } from '../../api/client'
import { useAction } from '../../components/hooks'
import { Problem } from '../../components/parts'
import { useTitle } from '../../components/title'
import { address, place } from '../../router'

/** Where the link of a mail leads: a new password. */
export function Reset() {
  useTitle('A new password')
  const { busy, error, run } = useAction()
  const [done, setDone] = useState(false)
  const { query } = place.value
  const reset = query.get('token')
  const tenant = query.get('tenant')
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const password = new FormData(event.currentTarget as HTMLFormElement).get('password')
    run(async () => {
      const headers = { 'Content-Type': 'application/json' }
      const body = JSON.stringify({ reset, tenant, password })
      const answer = await fetch(route('/self'), { method: 'PUT', headers, credentials: 'omit', body })
      if (!answer.ok) throw await refusal(answer)
      history.replaceState(null, '', address(['passwordreset'])) // the token leaves the address
      setDone(true)
    })
  }
  return (
    <main class="narrow">
      <h1>A new password</h1>
      <Problem>{error}</Problem>
      {done && (
        <p role="status">
          Your password is changed. <a href={address([])}>Sign in</a>
        </p>
      )}
      {!done && (!reset || !tenant) && <Problem>This link is incomplete. Copy all of it from the mail.</Problem>}
      {!done && reset && tenant && (
        <form class="stack" onSubmit={submit}>
          <label>
            New password
            <input name="password" type="password" autoComplete="new-password" required />
          </label>
          <button type="submit" class="main" aria-disabled={busy}>
            Change the password
          </button>
        </form>
      )}
    </main>
  )
}
