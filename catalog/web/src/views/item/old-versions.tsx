import { useState } from 'preact/hooks'
import { api, content, type Item, type Kind } from '../../api/client'
import { Dialog } from '../../components/dialog'
import { plural, size } from '../../components/format'
import { submitted } from '../../components/forms'
import { useAction, useLoaded } from '../../components/hooks'
import { notify } from '../../components/notices'
import { Loading, Problem, When } from '../../components/parts'
import { Table } from '../../components/table'
import { type OldVersion, wholeNumber } from '../../logic/retention'
import { address } from '../../router'
import { itemPath } from '../paths'

/** Old versions that were removed, or would be. */
export function OldVersions({ versions, isDry, hasItems }: OldVersionsProps) {
  const head = [...(hasItems ? ['Item'] : []), 'Version', 'Size', 'Added']
  return (
    <Table label="Old versions" head={head} tall={versions.length > 12}>
      {versions.map((version) => (
        <tr key={version._id}>
          {hasItems && (
            <td>
              <a href={address([version.kind, version.item])}>{version.name}</a>
            </td>
          )}
          <td>
            {isDry ? (
              <a href={address([version.kind, version.item, version.ordinal])}>{version.ordinal}</a>
            ) : (
              version.ordinal
            )}
          </td>
          <td class="number">{size(version.size)}</td>
          <td>
            <When moment={version.timestamp} />
          </td>
        </tr>
      ))}
    </Table>
  )
}

interface OldVersionsProps {
  versions: OldVersion[]
  isDry: boolean
  /** Whether they are of several items. */
  hasItems?: boolean
}

interface Props {
  kind: Kind
  item: Item
  onClose: () => void
  onChange: () => void
}

type Own = { keep_versions: number | null; in_force: number }

/** How many versions of an item are kept, and what that would remove. */
export function RetentionDialog({ kind, item, onClose, onChange }: Props) {
  const at = `${itemPath(kind)}/retention` as '/v1/models/{key}/retention'
  const params = { path: { key: item._id } }
  const loaded = useLoaded((signal) => content(api.GET(at, { params, signal })), [item._id])
  return (
    <Dialog title={`Old versions of ${item.name}`} onClose={onClose}>
      <p class="muted">
        The newest are kept. Versions with an alias, and those that are deployed, pinned, staged or an input of others,
        stay as well.
      </p>
      <Loading of={loaded}>
        {(own) => (
          <>
            <Rule
              key={String(own.keep_versions)}
              own={own}
              save={async (keep_versions) => {
                await content(api.PUT(at, { params, body: { keep_versions } }))
                notify('Saved. The sweep applies it.')
                loaded.reload()
              }}
            />
            <Prune kind={kind} item={item} own={own} onChange={onChange} />
          </>
        )}
      </Loading>
    </Dialog>
  )
}

type Choice = 'tenant' | 'all' | 'some'

const words = (count: number): string => (count ? `the newest ${count}` : 'all of them')

function Rule({ own, save }: { own: Own; save: (keep: number | null) => Promise<void> }) {
  const { busy, error, run } = useAction()
  const now: Choice = own.keep_versions === null ? 'tenant' : own.keep_versions ? 'some' : 'all'
  const [chosen, setChosen] = useState<Choice>(now)
  const submit = (event: SubmitEvent) => {
    const { text } = submitted(event)
    run(() => save({ tenant: () => null, all: () => 0, some: () => wholeNumber(text('keep'), 'Keep') }[chosen]()))
  }
  const choice = (key: Choice, label: string) => (
    <label class="check">
      <input type="radio" name="rule" checked={chosen === key} onChange={() => setChosen(key)} />
      {label}
    </label>
  )
  return (
    <form class="stack" onSubmit={submit}>
      <Problem>{error}</Problem>
      <fieldset>
        <legend>Keep</legend>
        {choice('tenant', `what the organisation keeps${now === 'tenant' ? `: ${words(own.in_force)}` : ''}`)}
        {choice('all', 'all versions')}
        {choice('some', 'only the newest')}
        {chosen === 'some' && (
          <label class="narrow-choice">
            How many
            <input name="keep" type="number" min={1} max={1_000_000} required defaultValue={own.keep_versions || 10} />
          </label>
        )}
      </fieldset>
      <p>
        <button type="submit" aria-disabled={busy}>
          Save
        </button>
      </p>
    </form>
  )
}

interface PruneProps {
  kind: Kind
  item: Item
  own: Own
  onChange: () => void
}

function Prune({ kind, item, own, onChange }: PruneProps) {
  const { busy, error, run } = useAction()
  const [found, setFound] = useState<{ versions: OldVersion[]; dry_run: boolean; bytes: number } | null>(null)
  const prune = (isDry: boolean) =>
    run(async () => {
      const path = `${itemPath(kind)}/prune` as '/v1/models/{key}/prune'
      const query = isDry ? { dry_run: 'true' as const } : {}
      setFound(await content(api.POST(path, { params: { path: { key: item._id }, query }, body: {} })))
      if (!isDry) onChange()
    })
  if (!own.in_force) return <p class="muted">All versions are kept: nothing would be removed.</p>
  return (
    <>
      <Problem>{error}</Problem>
      <p class="actions">
        <button type="button" aria-disabled={busy} onClick={() => prune(true)}>
          {busy ? 'Working…' : 'Show what would be removed'}
        </button>
        {found?.dry_run && found.versions.length > 0 && (
          <button type="button" aria-disabled={busy} onClick={() => prune(false)}>
            Remove {plural(found.versions.length, 'version')} for good
          </button>
        )}
      </p>
      {found && (
        <p role="status">
          {found.versions.length
            ? `${plural(found.versions.length, 'version')}, ${size(found.bytes)}, ${found.dry_run ? 'would be' : found.versions.length === 1 ? 'was' : 'were'} removed.`
            : found.dry_run
              ? 'Nothing would be removed.'
              : 'There was nothing to remove.'}
        </p>
      )}
      {found && found.versions.length > 0 && <OldVersions versions={found.versions} isDry={found.dry_run} />}
    </>
  )
}
