import { useState } from 'preact/hooks'
import { refusal, route, SERVER, signIn } from '../../api/client'
import { Icon } from '../../components/brand'
import { submitted } from '../../components/forms'
import { useAction, useLoaded } from '../../components/hooks'
import { Code, Problem } from '../../components/parts'
import { useTitle } from '../../components/title'
import { address } from '../../router'

export function SignIn() {
  useTitle('Sign in')
  const [forgotten, setForgotten] = useState(false)
  return (
    <main class="narrow">
      <h1 class="brand">
        <Icon /> Catalog
      </h1>
      <p class="muted">Models and datasets of your organisation.</p>
      {forgotten ? <Forgotten onBack={() => setForgotten(false)} /> : <SignInForm />}
      {!forgotten && (
        <button type="button" class="quiet" onClick={() => setForgotten(true)}>
          Forgot your password?
        </button>
      )}
      <details>
        <summary>First time here?</summary>
        <p>
          The server prints the name and the password of its first administrator when it starts for the first time. Sign
          in with them, here or on the command line, and add people and a model:
        </p>
        <Code>{`pip install catalog
export CATALOG_URL=${SERVER}
catalog login -u admin
catalog users create ada --email ada@example.org
catalog push iris model.onnx --tag flowers`}</Code>
        <p>
          <a href={address(['operator'])}>The operator of this server</a> adds organisations.
        </p>
      </details>
    </main>
  )
}

interface Props {
  tenant?: string
  username?: string
}

/** Names that are given are fixed: the dialog of an expired session asks for the password alone. */
export function SignInForm({ tenant, username }: Props) {
  const { busy, error, run } = useAction()
  const fixed = username !== undefined
  const submit = (event: SubmitEvent) => {
    const { text, exact } = submitted(event)
    run(() => signIn(fixed ? (tenant ?? '') : text('tenant'), fixed ? username : text('username'), exact('password')))
  }
  return (
    <form class="stack" onSubmit={submit}>
      <Problem>{error}</Problem>
      {!fixed && (
        <>
          <label>
            Organisation
            <input name="tenant" autoComplete="organization" placeholder="the default one" />
          </label>
          <label>
            Username
            <input name="username" autoComplete="username" required />
          </label>
        </>
      )}
      <label>
        Password{fixed && ` of ${username}`}
        <input name="password" type="password" autoComplete="current-password" required />
      </label>
      <button type="submit" class="main" aria-disabled={busy}>
        {busy ? 'Signing in…' : 'Sign in'}
      </button>
    </form>
  )
}

/** The name of the default tenant, which needs no sign-in. */
async function defaultTenant(signal: AbortSignal): Promise<string> {
  const answer = await fetch(route('/types/tenants'), { signal })
  const tenants: { _id: string }[] = answer.ok ? (await answer.json()).docs : []
  return tenants.length === 1 ? (tenants[0]?._id ?? '') : ''
}

function Forgotten({ onBack }: { onBack: () => void }) {
  const { busy, error, run } = useAction()
  const [sent, setSent] = useState(false)
  const standard = useLoaded(defaultTenant, [])
  const submit = (event: SubmitEvent) => {
    const { text } = submitted(event)
    run(async () => {
      const query = new URLSearchParams({ tenant: text('tenant') })
      const answer = await fetch(`${route('/self/reset')}?${query}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ email: text('email') }),
      })
      if (!answer.ok) throw await refusal(answer)
      setSent(true)
    })
  }
  return (
    <form class="stack" onSubmit={submit}>
      <Problem>{error}</Problem>
      {sent && <p role="status">If this address is known there, a mail is on its way. It leads back to this page.</p>}
      <label>
        Organisation
        <input name="tenant" required defaultValue={standard.data} autoComplete="organization" />
      </label>
      <label>
        E-mail
        <input name="email" type="email" autoComplete="email" required />
      </label>
      <button type="submit" class="main" aria-disabled={busy}>
        Send a mail
      </button>
      <button type="button" class="quiet" onClick={onBack}>
        Back to sign in
      </button>
    </form>
  )
}
