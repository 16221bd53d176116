import '../../styles/admin.css'
import { content, listed } from '../../api/client'
import { operator, operatorToken } from '../../api/operator'
import { Brand } from '../../components/brand'
import { submitted } from '../../components/forms'
import { useAction } from '../../components/hooks'
import { Notices } from '../../components/notices'
import { Problem } from '../../components/parts'
import { Tabs } from '../../components/tabs'
import { useTitle } from '../../components/title'
import { address, place, setQuery } from '../../router'
import { Entries, type Entry, useEntries } from './journal'
import { Sweep } from './sweep'
import { Tenants } from './tenants'

const PARTS = { tenants: 'Tenants', sweep: 'Sweep', journal: 'Journal' }

/** What the operator of the server does, with API_TOKEN. */
export function Operator() {
  useTitle('Operator')
  const part = place.value.query.get('part') ?? 'tenants'
  return (
    <>
      <header class="bar">
        <Brand />
        <nav aria-label="Main">
          <a href={address([])}>Back to the catalog</a>
        </nav>
        {operatorToken.value && (
          <button
            type="button"
            class="small"
            onClick={() => {
              operatorToken.value = ''
            }}
          >
            Forget the token
          </button>
        )}
      </header>
      <main id="main" class="admin" tabIndex={-1}>
        <h1>Operator</h1>
        {operatorToken.value ? (
          <Tabs label="Operation" tabs={PARTS} now={part} onPick={(key) => setQuery((query) => query.set('part', key))}>
            {part === 'sweep' ? <Sweep /> : part === 'journal' ? <OperatorsJournal /> : <Tenants />}
          </Tabs>
        ) : (
          <Enter />
        )}
      </main>
      <Notices />
    </>
  )
}

function Enter() {
  const { busy, error, run } = useAction()
  const submit = (event: SubmitEvent) => {
    const token = submitted(event).text('token')
    run(async () => {
      operatorToken.value = token
      try {
        await content(operator.GET('/v1/tenants', { params: { query: { limit: 1 } } }))
      } catch (failure) {
        operatorToken.value = ''
        throw failure
      }
    })
  }
  return (
    <form class="stack narrow-form" onSubmit={submit}>
      <p class="muted">
        The operator has API_TOKEN, which is in the settings of the server, or in secrets.env in its data folder. It
        stays in the memory of this page, and is forgotten when you leave or reload it.
      </p>
      <Problem>{error}</Problem>
      <label>
        API_TOKEN
        <input name="token" type="password" autoComplete="off" required />
      </label>
      <button type="submit" class="main" aria-disabled={busy}>
        Continue
      </button>
    </form>
  )
}

function OperatorsJournal() {
  const list = useEntries('/v1/log/operator', (query, signal) =>
    listed<Entry>(operator.GET('/v1/log/operator', { params: { query }, signal })),
  )
  return (
    <>
      <p class="muted">Requests that belong to no tenant: yours, and those without a valid token.</p>
      <Entries list={list} />
    </>
  )
}
