import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { api, authorized, content, type Item, type Kind, Refusal, refusal, route, withTag } from '../../api/client'
import { Dialog } from '../../components/dialog'
import { useLoaded } from '../../components/hooks'
import { notify } from '../../components/notices'
import { Loading } from '../../components/parts'
import { SaveForm } from '../../components/save-form'
import { undoing } from '../../components/undo'
import { cardContent } from '../../logic/card'
import { cardFieldsChange } from '../../logic/changes'
import { itemPath } from '../paths'

interface Props {
  kind: Kind
  item: Item
  /** As the server shows it. Empty: the item has none. */
  html: string
  /** Of the item: its card has the same. */
  etag: string
  mayChange: boolean
  onSaved: () => void
}

/** The HTML of the card of an item, or nothing where it has none. */
export async function cardOf(kind: Kind, reference: string, signal: AbortSignal): Promise<string> {
  const path = `/${kind}/${encodeURIComponent(reference)}/card?format=html`
  const answer = await authorized(new Request(route(path), { signal }))
  return answer.ok ? answer.text() : ''
}

/** What the item is for, how it was made, and where its limits are. */
export function Card({ html, mayChange, ...edited }: Props) {
  const [editing, setEditing] = useState(false)
  const edit = mayChange && (
    <button type="button" class="small" onClick={() => setEditing(true)}>
      {html ? 'Edit the card' : 'Add a card'}
    </button>
  )
  return (
    <section>
      <h2>Card</h2>
      {html ? (
        <CardText html={html}>{edit}</CardText>
      ) : (
        <>
          <p class="muted">A card says what it is for, how it was made, and where its limits are.</p>
          <p>{edit}</p>
        </>
      )}
      {editing && <EditCard {...edited} onClose={() => setEditing(false)} />}
    </section>
  )
}

/** A long card is folded, so that the versions below it are in sight. `children`: what can be done with it. */
function CardText({ html, children }: { html: string; children: ComponentChildren }) {
  const element = useRef<HTMLDivElement>(null)
  const [isFolded, setFolded] = useState(true)
  const [isLong, setLong] = useState(false)
  useLayoutEffect(() => {
    const card = element.current
    card?.replaceChildren(cardContent(html))
    setLong(card !== null && card.scrollHeight > card.clientHeight)
  }, [html])
  const open = () => setFolded(false)
  return (
    <>
      {/* A link in it that gets the focus is in sight. */}
      <div ref={element} class={`card ${isFolded ? 'folded' : ''} ${isLong ? 'long' : ''}`} onFocusIn={open} />
      <p class="actions">
        {isLong && isFolded && (
          <button type="button" class="small" onClick={open}>
            Show the whole card
          </button>
        )}
        {children}
      </p>
    </>
  )
}

function EditCard({
  kind,
  item,
  etag: ofItem,
  onClose,
  onSaved,
}: Omit<Props, 'mayChange' | 'html'> & { onClose: () => void }) {
  const at = `/v1/${kind}/{key}/card` as '/v1/models/{key}/card'
  const params = { path: { key: item._id } }
  const loaded = useLoaded<{ data: { text: string | null }; etag: string }>(
    (signal) =>
      withTag(api.GET(at, { params, signal })).catch((failure) => {
        if (failure instanceof Refusal && failure.status === 404) return { data: { text: null }, etag: ofItem }
        throw failure
      }),
    [item._id],
  )
  const save = async (before: string | null, etag: string, text: string) => {
    const saved = await write(kind, item, text, etag)
    notify(
      'The card is saved.',
      undoing(() => restore(kind, item, before, saved), onSaved),
    )
    onSaved()
    onClose()
  }
  return (
    <Dialog title={`Card of ${item.name}`} onClose={onClose}>
      <Loading of={loaded}>
        {({ data: { text }, etag }) => (
          <SaveForm
            onConflict="Copy your text, and open it again."
            save={(form) => save(text, etag, String(new FormData(form).get('text')).replaceAll('\r\n', '\n'))}
          >
            <label>
              Markdown
              <textarea name="text" rows={16} class="markdown" defaultValue={text ?? ''} />
            </label>
            <p class="muted">
              A block of YAML at its beginning, between lines of ---, sets tags, license, library and tasks as well.
            </p>
          </SaveForm>
        )}
      </Loading>
    </Dialog>
  )
}

/** Set the text of a card, or remove the card. The result is the ETag of what is there then. */
async function write(kind: Kind, item: Item, text: string | null, etag: string): Promise<string> {
  const headers = { 'If-Match': etag, ...(text !== null && { 'Content-Type': 'text/markdown' }) }
  const how = text === null ? { method: 'DELETE', headers } : { method: 'PUT', headers, body: text }
  const answer = await authorized(new Request(route(`/${kind}/${item._id}/card`), how))
  if (!answer.ok) throw await refusal(answer)
  return answer.headers.get('etag') ?? ''
}

/** Give back the card that was there before, and the fields of the item, which the card may have set. */
async function restore(kind: Kind, item: Item, before: string | null, etag: string): Promise<void> {
  const restored = await write(kind, item, before, etag)
  const params = { path: { key: item._id } }
  const now = (await content(api.GET(itemPath(kind), { params }))) as Item
  const body = cardFieldsChange(now, item)
  if (!Object.keys(body).length) return
  await content(api.PUT(itemPath(kind), { params: { ...params, header: { 'If-Match': restored } }, body }))
}
