import { useState } from 'preact/hooks'
import { api, type Kind, type Pair, type Version, withTag } from '../../api/client'
import { Dialog } from '../../components/dialog'
import { notify } from '../../components/notices'
import { SaveForm } from '../../components/save-form'
import { undoing } from '../../components/undo'
import { changeOfVersion, type VersionChange } from '../../logic/changes'
import { Metadata } from '../item/fields'
import { itemPath } from '../paths'

const STAGES = ['none', 'staging', 'production', 'archived'] as const
type Stage = (typeof STAGES)[number]

interface Props {
  kind: Kind
  item: string
  version: Version
  etag: string
  onClose: () => void
  onSaved: () => void
}

/** Edit what is said of a version. Its files never change. */
export function EditVersion({ kind, item, version, etag, onClose, onSaved }: Props) {
  const [description, setDescription] = useState(version.description)
  const [author, setAuthor] = useState(version.author)
  const [stage, setStage] = useState(version.stage as Stage)
  const [archived, setArchived] = useState(version.archived)
  const [pinned, setPinned] = useState(version.pinned)
  const [metadata, setMetadata] = useState<Pair[]>(version.metadata)
  const save = async () => {
    const typed = { description, author, stage, archived, pinned, metadata }
    const body = changeOfVersion(version, typed)
    if (Object.keys(body).length) {
      const saved = await change(kind, item, version, body, etag)
      const back = changeOfVersion({ ...version, ...typed }, version)
      notify(
        'Saved.',
        undoing(() => change(kind, item, version, back, saved), onSaved),
      )
      onSaved()
    }
    onClose()
  }
  const check = (label: string, checked: boolean, set: (checked: boolean) => void) => (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => set(event.currentTarget.checked)} />
      {label}
    </label>
  )
  return (
    <Dialog title={`Edit version ${version.ordinal}`} onClose={onClose}>
      <SaveForm save={save} onConflict="Open it again to see how it is now.">
        <label>
          Description
          <textarea rows={4} value={description} onInput={(event) => setDescription(event.currentTarget.value)} />
        </label>
        <div class="row">
          <label>
            Stage
            <select value={stage} onChange={(event) => setStage(event.currentTarget.value as Stage)}>
              {STAGES.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </label>
          <label>
            Author
            <input value={author} onInput={(event) => setAuthor(event.currentTarget.value)} />
          </label>
        </div>
        <Metadata pairs={metadata} onChange={setMetadata} />
        {check('Pinned: never removed by a retention policy', pinned, setPinned)}
        {check('Archived: hidden from lists, still readable', archived, setArchived)}
      </SaveForm>
    </Dialog>
  )
}

/** Change what is said of a version. The result is the ETag of what is there then. */
async function change(kind: Kind, item: string, version: Version, body: VersionChange, etag: string): Promise<string> {
  const path = `${itemPath(kind)}/versions/{which}` as '/v1/models/{key}/versions/{which}'
  const params = { path: { key: item, which: version.ordinal }, header: { 'If-Match': etag } }
  return (await withTag(api.PUT(path, { params, body }))).etag
}
