import { useState } from 'preact/hooks'
import { api, content, type Item, isConflict, type Kind, withTag } from '../../api/client'
import { Dialog } from '../../components/dialog'
import { sentence } from '../../components/hooks'
import { notify, Problem, undo } from '../../components/parts'
import { changeOf, type Draft, draftOf } from '../../logic/changes'
import { itemPath } from '../paths'
import { Metadata, Tags } from './fields'

interface Props {
  kind: Kind
  item: Item
  etag: string
  onClose: () => void
  onSaved: () => void
}

/** Edit an item. A change that another user made meanwhile is never overwritten without a question. */
export function Edit({ kind, item, etag, onClose, onSaved }: Props) {
  const [draft, setDraft] = useState(draftOf(item))
  const [base, setBase] = useState({ item, etag })
  const [conflict, setConflict] = useState<Item | null>(null)
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const update = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }))

  const save = async (from: { item: Item; etag: string }) => {
    setBusy(true)
    setError('')
    try {
      const body = changeOf(from.item, draft)
      const request = { params: { path: { key: item._id }, header: { 'If-Match': from.etag } }, body: body as never }
      if (Object.keys(body).length) {
        const saved = await withTag(api.PUT(itemPath(kind), request))
        notify(
          'Saved.',
          undo(() => restore(kind, from.item, draft, saved.etag, onSaved)),
        )
        onSaved()
      }
      onClose()
    } catch (failure) {
      if (isConflict(failure)) {
        const now = await withTag(api.GET(itemPath(kind), { params: { path: { key: item._id } } }))
        setBase({ item: now.data as unknown as Item, etag: now.etag })
        setConflict(now.data as unknown as Item)
      } else {
        setError(sentence(failure))
      }
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={`Edit ${item.name}`} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault()
          save(base)
        }}
      >
        <Problem>{error}</Problem>
        {conflict && <Conflict before={item} now={conflict} />}
        <label>
          Description
          <textarea
            rows={4}
            value={draft.description}
            onInput={(event) => update({ description: event.currentTarget.value })}
          />
        </label>
        <label>
          License
          <input
            value={draft.license}
            placeholder="Apache-2.0"
            onInput={(event) => update({ license: event.currentTarget.value })}
          />
        </label>
        {item.status && (
          <label>
            Status
            <select value={draft.status} onChange={(event) => update({ status: event.currentTarget.value })}>
              {['training', 'test', 'production', 'deploy'].map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
        )}
        <Tags tags={draft.tags} onChange={(tags) => update({ tags })} />
        <Metadata pairs={draft.metadata} onChange={(metadata) => update({ metadata })} />
        <label class="check">
          <input
            type="checkbox"
            checked={draft.archived}
            onChange={(event) => update({ archived: event.currentTarget.checked })}
          />
          Archived: it leaves lists and searches, and stays readable
        </label>
        <button type="submit" class="main" disabled={busy}>
          {conflict ? 'Save over it' : busy ? 'Saving…' : 'Save'}
        </button>
      </form>
    </Dialog>
  )
}

function Conflict({ before, now }: { before: Item; now: Item }) {
  const changed = (Object.keys(draftOf(now)) as (keyof Draft)[]).filter(
    (field) => JSON.stringify(draftOf(before)[field]) !== JSON.stringify(draftOf(now)[field]),
  )
  return (
    <div class="problem" role="alert">
      <p>Somebody changed this while you were editing. What is there now:</p>
      <dl class="facts">
        {changed.map((field) => (
          <div key={field}>
            <dt>{field}</dt>
            <dd>{shown(draftOf(now)[field])}</dd>
          </div>
        ))}
      </dl>
      <p>Take over what you want to keep, then save again.</p>
    </div>
  )
}

const shown = (field: Draft[keyof Draft]): string =>
  Array.isArray(field)
    ? field.map((each) => (typeof each === 'string' ? each : `${each.name} = ${each.value}`)).join(', ')
    : String(field)

/** Undo a change, unless somebody has changed the item since. */
async function restore(kind: Kind, item: Item, draft: Draft, etag: string, onSaved: () => void) {
  const body = changeOf({ ...item, ...draft } as Item, draftOf(item)) as never
  const params = { path: { key: item._id }, header: { 'If-Match': etag } }
  await content(api.PUT(itemPath(kind), { params, body })).then(
    () => notify('The change is undone.'),
    (failure) => notify(isConflict(failure) ? 'Somebody changed it meanwhile: nothing was undone.' : sentence(failure)),
  )
  onSaved()
}
