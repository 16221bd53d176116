import { useState } from 'preact/hooks'
import { api, authorized, type Item, isConflict, type Kind, Refusal, refusal, route, withTag } from '../../api/client'
import { Dialog } from '../../components/dialog'
import { sentence, useLoaded } from '../../components/hooks'
import { Loading, notify, Problem } from '../../components/parts'
import { sanitised } from '../../trusted'

interface Props {
  kind: Kind
  item: Item
  /** Of the item: its card has the same. */
  etag: string
  mayChange: boolean
  onSaved: () => void
}

/** The card, as HTML that the server has sanitised. An item without one shows nothing. */
export function Card({ kind, item, etag, mayChange, onSaved }: Props) {
  const [editing, setEditing] = useState(false)
  const card = useLoaded(
    async (signal) => {
      const answer = await authorized(new Request(route(`/${kind}/${item._id}/card?format=html`), { signal }))
      return answer.ok ? answer.text() : ''
    },
    [kind, item._id, item.lastmod],
  )
  return (
    <section>
      {(card.data || mayChange) && <h2>Card</h2>}
      {card.data && (
        <div class="card">
          <div dangerouslySetInnerHTML={{ __html: sanitised(card.data) }} />
        </div>
      )}
      {mayChange && card.data !== undefined && (
        <p>
          <button type="button" class="small" onClick={() => setEditing(true)}>
            {card.data ? 'Edit the card' : 'Add a card'}
          </button>
        </p>
      )}
      {editing && <EditCard kind={kind} item={item} etag={etag} onClose={() => setEditing(false)} onSaved={onSaved} />}
    </section>
  )
}

function EditCard({ kind, item, etag: ofItem, onClose, onSaved }: Omit<Props, 'mayChange'> & { onClose: () => void }) {
  const at = `/v1/${kind}/{key}/card` as '/v1/models/{key}/card'
  const params = { path: { key: item._id } }
  const loaded = useLoaded(
    (signal) =>
      withTag(api.GET(at, { params, signal })).catch((failure) => {
        if (failure instanceof Refusal && failure.status === 404) return { data: { text: '' }, etag: ofItem }
        throw failure
      }),
    [item._id],
  )
  return (
    <Dialog title={`Card of ${item.name}`} onClose={onClose}>
      <Loading of={loaded}>
        {({ data, etag }) => (
          <Form
            text={data.text}
            save={async (text) => {
              const headers = { 'Content-Type': 'text/markdown', 'If-Match': etag }
              const asked = new Request(route(`/${kind}/${item._id}/card`), { method: 'PUT', headers, body: text })
              const answer = await authorized(asked)
              if (!answer.ok) throw await refusal(answer)
              notify('The card is saved.')
              onSaved()
              onClose()
            }}
          />
        )}
      </Loading>
    </Dialog>
  )
}

function Form({ text, save }: { text: string; save: (text: string) => Promise<void> }) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState('')
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    const typed = new FormData(event.currentTarget as HTMLFormElement).get('text')
    setBusy(true)
    setError('')
    try {
      await save(String(typed).replaceAll('\r\n', '\n'))
    } catch (failure) {
      setError(
        isConflict(failure)
          ? 'Somebody changed this while you were editing. Copy your text, and open it again.'
          : sentence(failure),
      )
      setBusy(false)
    }
  }
  return (
    <form class="stack" onSubmit={submit}>
      <Problem>{error}</Problem>
      <label>
        Markdown
        <textarea name="text" rows={16} class="markdown" defaultValue={text} />
      </label>
      <p class="muted">
        A block of YAML at its beginning, between lines of ---, sets tags, license, library and tasks as well.
      </p>
      <p>
        <button type="submit" class="main" disabled={busy}>
          {busy ? 'Saving…' : 'Save'}
        </button>
      </p>
    </form>
  )
}
