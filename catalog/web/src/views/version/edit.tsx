import { useState } from 'preact/hooks'
import { api, content, isConflict, type Kind, type Pair, type Version } from '../../api/client'
import { Dialog } from '../../components/dialog'
import { sentence } from '../../components/hooks'
import { notify, Problem } from '../../components/parts'
import { pairsChange } from '../../logic/changes'
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
  const [error, setError] = useState('')
  const [busy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    setBusy(true)
    setError('')
    const typed = { description, author, stage, archived, pinned }
    const changed = Object.entries(typed).filter(([name, value]) => version[name as keyof typeof typed] !== value)
    const pairs = pairsChange(version.metadata, metadata)
    const body = { ...Object.fromEntries(changed), ...(pairs && { metadata: pairs }) }
    const path = `${itemPath(kind)}/versions/{which}` as '/v1/models/{key}/versions/{which}'
    try {
      const params = { path: { key: item, which: version.ordinal }, header: { 'If-Match': etag } }
      if (Object.keys(body).length) {
        await content(api.PUT(path, { params, body }))
        notify('Saved.')
        onSaved()
      }
      onClose()
    } catch (failure) {
      setError(
        isConflict(failure)
          ? 'Somebody changed this while you were editing. Open it again to see how it is now.'
          : sentence(failure),
      )
      setBusy(false)
    }
  }
  const check = (label: string, checked: boolean, set: (checked: boolean) => void) => (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => set(event.currentTarget.checked)} />
      {label}
    </label>
  )
  return (
    <Dialog title={`Edit version ${version.ordinal}`} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <Problem>{error}</Problem>
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
        {check('Pinned: no policy of retention removes it', pinned, setPinned)}
        {check('Archived: it leaves lists, and stays readable', archived, setArchived)}
        <p>
          <button type="submit" class="main" disabled={busy}>
            {busy ? 'Saving…' : 'Save'}
          </button>
        </p>
      </form>
    </Dialog>
  )
}
