import { useState } from 'preact/hooks'
import { api, type Item, isConflict, type Kind, withTag } from '../../api/client'
import { Dialog } from '../../components/dialog'
import { notify } from '../../components/notices'
import { SaveForm } from '../../components/save-form'
import { undoing } from '../../components/undo'
import { changeOf, type Draft, draftOf, type ItemChange, type Status } from '../../logic/changes'
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
  const update = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }))

  const save = async () => {
    try {
      const body = changeOf(base.item, draft)
      if (Object.keys(body).length) {
        const saved = await change(kind, item, body, base.etag)
        const back = changeOf({ ...base.item, ...draft } as Item, draftOf(base.item))
        notify(
          'Saved.',
          undoing(() => change(kind, item, back, saved), onSaved),
        )
        onSaved()
      }
      onClose()
    } catch (failure) {
      if (!isConflict(failure)) throw failure
      const now = await withTag(api.GET(itemPath(kind), { params: { path: { key: item._id } } }))
      setBase({ item: now.data as Item, etag: now.etag })
      setConflict(now.data as Item)
    }
  }
  return (
    <Dialog title={`Edit ${item.name}`} onClose={onClose}>
      <SaveForm save={save} label={conflict ? 'Save over it' : 'Save'}>
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
            <select
              value={draft.status ?? ''}
              onChange={(event) => update({ status: event.currentTarget.value as Status })}
            >
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
          Archived: hidden from lists and searches, still readable
        </label>
      </SaveForm>
    </Dialog>
  )
}

function Conflict({ before, now }: { before: Item; now: Item }) {
  const changed = (Object.keys(draftOf(now)) as (keyof Draft)[]).filter(
    (field) => JSON.stringify(draftOf(before)[field]) !== JSON.stringify(draftOf(now)[field]),
  )
  return (
    <div class="problem" role="alert">
      <p>Another user changed this while you were editing. What is there now:</p>
      <dl class="facts">
        {changed.map((field) => (
          <div key={field}>
            <dt>{field}</dt>
            <dd>{shown(draftOf(now)[field])}</dd>
          </div>
        ))}
      </dl>
      <p>Copy what you want to keep, then save again.</p>
    </div>
  )
}

const shown = (field: Draft[keyof Draft]): string =>
  Array.isArray(field)
    ? field.map((each) => (typeof each === 'string' ? each : `${each.name} = ${each.value}`)).join(', ')
    : String(field)

/** Change an item. The result is the ETag of what is there then. */
async function change(kind: Kind, item: Item, body: ItemChange, etag: string): Promise<string> {
  const params = { path: { key: item._id }, header: { 'If-Match': etag } }
  return (await withTag(api.PUT(itemPath(kind), { params, body }))).etag
}
