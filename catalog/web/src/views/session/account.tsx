import { useState } from 'preact/hooks'
import { type AccessToken, api, content, listed, signOut } from '../../api/client'
import { AddForm, OnlyOnce, submitted, TokenFields, TokenLife } from '../../components/forms'
import { useAction, useLoaded } from '../../components/hooks'
import { notify } from '../../components/notices'
import { Loading, Problem } from '../../components/parts'
import { useTitle } from '../../components/title'
import { session } from '../../session'

export function Account() {
  const now = session.value
  useTitle('Your account')
  return (
    <section>
      <h1>{now?.username}</h1>
      <p class="muted">
        {now?.isAdmin ? 'Administrator' : 'Member'} of {now?.tenant || 'the default organisation'}
      </p>
      <Password />
      <Tokens />
      <Everywhere />
    </section>
  )
}

/** For a lost laptop: all sessions and tokens end, the password stays. */
function Everywhere() {
  const { busy, error, run } = useAction()
  const leave = () =>
    run(async () => {
      if (!confirm('End all of your sessions and tokens, here and everywhere else?')) return
      await content(api.POST('/v1/users/{user}/signout', { params: { path: { user: session.value?.userId ?? '' } } }))
      signOut()
    })
  return (
    <section>
      <h2>Sign out everywhere</h2>
      <p class="muted">Ends all of your sessions, tokens and reset links. The password stays as it is.</p>
      <Problem>{error}</Problem>
      <button type="button" aria-disabled={busy} onClick={leave}>
        Sign out everywhere
      </button>
    </section>
  )
}

/** A new password ends all sessions and tokens of its user. */
function Password() {
  const { busy, error, run } = useAction()
  const submit = (event: SubmitEvent) => {
    const password = submitted(event).exact('password')
    run(async () => {
      const params = { path: { user: session.value?.userId ?? '' } }
      await content(api.PUT('/v1/users/{user}', { params, body: { password } }))
      notify('The password is changed. Sign in with it.')
      signOut()
    })
  }
  return (
    <form class="stack narrow-form" onSubmit={submit}>
      <h2>Password</h2>
      <p class="muted">A new password signs you out everywhere, and ends your tokens.</p>
      <Problem>{error}</Problem>
      <label>
        New password
        <input name="password" type="password" autoComplete="new-password" required />
      </label>
      <p>
        <button type="submit" aria-disabled={busy}>
          Change the password
        </button>
      </p>
    </form>
  )
}

function Tokens() {
  const { busy, error, run } = useAction()
  const [created, setCreated] = useState('')
  const loaded = useLoaded(async (signal) => {
    // An administrator's list has the tokens of all users.
    const query = { limit: 100, filter: JSON.stringify({ user: session.value?.userId }) }
    return (await listed<AccessToken>(api.GET('/v1/tokens', { params: { query }, signal }))).docs
  }, [])
  const revoke = (token: AccessToken) =>
    run(async () => {
      await content(api.DELETE('/v1/tokens/{token_id}', { params: { path: { token_id: token._id } } }))
      loaded.reload()
    })
  return (
    <section>
      <h2>Tokens</h2>
      <p class="muted">For scripts and other programs, instead of the password.</p>
      <Problem>{error}</Problem>
      <OnlyOnce what="Copy the token now." secret={created} />
      <div class="wide-form">
        <AddForm
          label="Create"
          add={async ({ text }) => {
            const body = { name: text('name'), scopes: [text('scope') as 'read' | 'write'], expires_in: text('life') }
            setCreated((await content(api.POST('/v1/tokens', { body }))).token)
            loaded.reload()
          }}
        >
          <label>
            Name
            <input name="name" required placeholder="nightly" />
          </label>
          <TokenFields lives={['30d', '90d', '365d']} />
        </AddForm>
      </div>
      <Loading of={loaded}>
        {(tokens) => (
          <ul class="plain">
            {!tokens.length && <li class="muted">You have no token yet.</li>}
            {tokens.map((token) => (
              <li key={token._id} class="row">
                <span>
                  <strong>{token.name}</strong> can {token.scopes.includes('write') ? 'read and write' : 'read'}
                </span>
                <TokenLife token={token} />
                <button type="button" class="small" aria-disabled={busy} onClick={() => revoke(token)}>
                  Revoke<span class="hidden"> {token.name}</span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </Loading>
    </section>
  )
}
