import { useState } from 'preact/hooks'
import { api, authorized, content, type Item, KINDS, type Kind, route, SERVER, withTag } from '../api/client'
import { age, date, plural, value } from '../components/format'
import { useAction, useLoaded } from '../components/hooks'
import { Chip, Code, Loading, notify, Problem } from '../components/parts'
import { snippets } from '../logic/snippets'
import { address, go } from '../router'
import { session } from '../session'
import { sanitised } from '../trusted'
import { Username } from './catalog'
import { Edit } from './edit'
import { Sharing } from './sharing'
import { Versions } from './versions'

export const isKind = (word: string): word is Kind => (KINDS as string[]).includes(word)

/** The path of an item of any kind, which the types know as that of a model: all kinds answer alike. */
export const itemPath = (kind: Kind) => `/v1/${kind}/{key}` as '/v1/models/{key}'

export function ItemView({ kind, reference }: { kind: Kind; reference: string }) {
  const loaded = useLoaded(
    async (signal) => {
      const found = await withTag(api.GET(itemPath(kind), { params: { path: { key: reference } }, signal }))
      return { item: found.data as unknown as Item, etag: found.etag }
    },
    [kind, reference],
  )
  return (
    <Loading of={loaded}>
      {({ item, etag }) => <Shown kind={kind} item={item} etag={etag} reload={loaded.reload} />}
    </Loading>
  )
}

interface Props {
  kind: Kind
  item: Item
  etag: string
  reload: () => void
}

function Shown({ kind, item, etag, reload }: Props) {
  const [editing, setEditing] = useState(false)
  const [sharing, setSharing] = useState(false)
  const now = session.value
  const mayChange = Boolean(now?.isAdmin || now?.userId === item.owner)
  return (
    <article>
      <header class="head">
        <div>
          <p class="muted">
            <a href={address([], kind === 'models' ? {} : { kind })}>{kind}</a> of <Username id={item.owner} />
          </p>
          <h1>{item.name}</h1>
          <p class="chips">
            <Chip>{item.visibility}</Chip>
            {item.status && <Chip>{item.status}</Chip>}
            {item.archived && <Chip tone="warn">archived</Chip>}
            {item.license && <Chip>{item.license}</Chip>}
            {item.tags.map((tag) => (
              <a key={tag} class="chip" href={address([], { ...(kind !== 'models' && { kind }), tag })}>
                {tag}
              </a>
            ))}
          </p>
        </div>
        {mayChange && (
          <div class="actions">
            <a class="button main" href={address(['upload'], { kind, item: item._id })}>
              New version
            </a>
            <button type="button" onClick={() => setEditing(true)}>
              Edit
            </button>
            <button type="button" onClick={() => setSharing(true)}>
              Share
            </button>
            <Remove kind={kind} item={item} />
          </div>
        )}
      </header>
      {item.description && <p class="text">{item.description}</p>}
      <Card kind={kind} item={item} />
      <div class="columns right">
        <div>
          <Versions kind={kind} item={item} mayChange={mayChange} onChange={reload} />
        </div>
        <aside aria-label="Facts">
          <Facts item={item} />
          <Use kind={kind} item={item} />
        </aside>
      </div>
      {editing && <Edit kind={kind} item={item} etag={etag} onClose={() => setEditing(false)} onSaved={reload} />}
      {sharing && <Sharing kind={kind} item={item} onClose={() => setSharing(false)} onSaved={reload} />}
    </article>
  )
}

function Facts({ item }: { item: Item }) {
  return (
    <section>
      <h2>Facts</h2>
      <dl class="facts">
        {item.metadata.map((pair) => (
          <div key={pair.name}>
            <dt>{pair.name}</dt>
            <dd>{value(pair.value)}</dd>
          </div>
        ))}
        <div>
          <dt>Readable by</dt>
          <dd>{item.visibility === 'public' ? 'everybody in the organisation' : readers(item)}</dd>
        </div>
        <div>
          <dt>Changed</dt>
          <dd title={date(item.lastmod)}>{age(item.lastmod)}</dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd title={date(item.timestamp)}>{age(item.timestamp)}</dd>
        </div>
        <div>
          <dt>Id</dt>
          <dd>
            <code>{item._id}</code>
          </dd>
        </div>
      </dl>
    </section>
  )
}

function readers(item: Item): string {
  const names = item.users.map((user) => user.username)
  return names.length ? `its owner, administrators, and ${names.join(', ')}` : 'its owner and administrators'
}

function Use({ kind, item }: { kind: Kind; item: Item }) {
  const newest = item.aliases[0]?.name ?? item.versions.find((each) => each.state === 'LIVE')?.ordinal
  const texts = snippets(SERVER, kind, item.name, newest)
  const [shown, setShown] = useState(0)
  if (!newest) return null
  return (
    <section>
      <h2>Use it</h2>
      <div role="tablist" aria-label="Ways to use it" class="tabs">
        {texts.map((each, index) => (
          <button
            key={each.label}
            type="button"
            role="tab"
            aria-selected={index === shown}
            onClick={() => setShown(index)}
          >
            {each.label}
          </button>
        ))}
      </div>
      <Code>{texts[shown]?.text ?? ''}</Code>
    </section>
  )
}

/** The card, as HTML that the server has sanitised. An item without one shows nothing. */
function Card({ kind, item }: { kind: Kind; item: Item }) {
  const card = useLoaded(
    async (signal) => {
      const answer = await authorized(new Request(route(`/${kind}/${item._id}/card?format=html`), { signal }))
      return answer.ok ? answer.text() : ''
    },
    [kind, item._id, item.lastmod],
  )
  if (!card.data) return null
  return (
    <section class="card">
      <h2 class="hidden">Card</h2>
      <div dangerouslySetInnerHTML={{ __html: sanitised(card.data) }} />
    </section>
  )
}

function Remove({ kind, item }: { kind: Kind; item: Item }) {
  const { busy, error, run } = useAction()
  const remove = () =>
    run(async () => {
      if (!confirm(`Move ${item.name} with ${plural(item.versionsTotal, 'version')} to the trash?`)) return
      await content(api.DELETE(itemPath(kind), { params: { path: { key: item._id } } }))
      go([])
      notify(`${item.name} is in the trash.`, () =>
        content(api.POST('/v1/trash/{trash_id}/restore', { params: { path: { trash_id: item._id } } })).then(
          () => go([kind, item._id]),
          () => go(['trash']),
        ),
      )
    })
  return (
    <>
      <button type="button" disabled={busy} onClick={remove}>
        Delete
      </button>
      <Problem>{error}</Problem>
    </>
  )
}
