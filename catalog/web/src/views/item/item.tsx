import { useState } from 'preact/hooks'
import { api, content, type Item, type Kind, withTag } from '../../api/client'
import { plural, value } from '../../components/format'
import { useAction, useLoaded } from '../../components/hooks'
import { notify, undo } from '../../components/notices'
import { Chip, LoadingView, Problem, When } from '../../components/parts'
import { useTitle } from '../../components/title'
import { Username } from '../../components/username'
import { rightsOf } from '../../logic/rights'
import { address, go } from '../../router'
import { session } from '../../session'
import { itemPath } from '../paths'
import { Use } from '../version/use'
import { Readers } from './access'
import { Card, cardOf } from './card'
import { Edit } from './edit'
import { Sharing } from './sharing'
import { Versions } from './versions'

export function ItemView({ kind, reference }: { kind: Kind; reference: string }) {
  const loaded = useLoaded(
    async (signal) => {
      const [found, card] = await Promise.all([
        withTag(api.GET(itemPath(kind), { params: { path: { key: reference } }, signal })),
        cardOf(kind, reference, signal),
      ])
      return { item: found.data as Item, etag: found.etag, card }
    },
    [kind, reference],
  )
  return <LoadingView of={loaded}>{(found) => <Shown kind={kind} {...found} reload={loaded.reload} />}</LoadingView>
}

interface Props {
  kind: Kind
  item: Item
  etag: string
  card: string
  reload: () => void
}

function Shown({ kind, item, etag, card, reload }: Props) {
  const [editing, setEditing] = useState(false)
  const [sharing, setSharing] = useState(false)
  useTitle(item.name)
  const now = session.value
  const { mayManage, mayChange } = rightsOf(item, now)
  const newest = item.versions.findLast((each) => each.state === 'LIVE')
  const alias = item.aliases.find((each) => each.name === 'champion') ?? item.aliases[0]
  const used = item.versions.find((each) => each.ordinal === alias?.version) ?? newest
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
        <div class="actions">
          {newest && (
            <a class="button" href={address(['lineage', kind, item._id])}>
              Lineage
            </a>
          )}
          {mayChange && (
            <button type="button" onClick={() => setEditing(true)}>
              Edit
            </button>
          )}
          {mayManage && (
            <>
              <button type="button" onClick={() => setSharing(true)}>
                Share
              </button>
              <Remove kind={kind} item={item} />
            </>
          )}
          {mayChange && (
            <a class="button main" href={address(['upload'], { kind, item: item._id })}>
              New version
            </a>
          )}
        </div>
      </header>
      {item.description && <p class="text">{item.description}</p>}
      <div class="columns right">
        <div>
          {card && <Card html={card} kind={kind} item={item} etag={etag} mayChange={mayChange} onSaved={reload} />}
          <Versions kind={kind} item={item} mayChange={mayChange} mayManage={mayManage} onChange={reload} />
          {used && <Use kind={kind} name={item.name} ordinal={used.ordinal} alias={alias?.name} />}
          {!card && mayChange && <Card html="" kind={kind} item={item} etag={etag} mayChange onSaved={reload} />}
        </div>
        <aside aria-label="Facts">
          <Facts item={item} />
          <Readers kind={kind} item={item} />
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
          <dt>Changed</dt>
          <dd>
            <When moment={item.lastmod} />
          </dd>
        </div>
        <div>
          <dt>Created</dt>
          <dd>
            <When moment={item.timestamp} />
          </dd>
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

function Remove({ kind, item }: { kind: Kind; item: Item }) {
  const { busy, error, run } = useAction()
  const remove = () =>
    run(async () => {
      if (!confirm(`Move ${item.name} with ${plural(item.versionsTotal, 'version')} to the trash?`)) return
      await content(api.DELETE(itemPath(kind), { params: { path: { key: item._id } } }))
      go([])
      const params = { path: { trash_id: item._id } }
      notify(
        `${item.name} is in the trash.`,
        undo(() =>
          content(api.POST('/v1/trash/{trash_id}/restore', { params })).then(
            () => go([kind, item._id]),
            () => go(['trash']),
          ),
        ),
      )
    })
  return (
    <>
      <button type="button" aria-disabled={busy} onClick={remove}>
        Delete
      </button>
      <Problem>{error}</Problem>
    </>
  )
}
