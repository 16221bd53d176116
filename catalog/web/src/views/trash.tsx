import { api, content, listed, type TrashEntry } from '../api/client'
import { date } from '../components/format'
import { useAction } from '../components/hooks'
import { notify } from '../components/notices'
import { usePaged } from '../components/paged'
import { Problem, When } from '../components/parts'
import { ACTIONS, ListState, ShowMore, Table } from '../components/table'
import { useTitle } from '../components/title'
import { Username } from '../components/username'
import { go } from '../router'

export function Trash() {
  useTitle('Trash')
  const { busy, error, run } = useAction()
  const list = usePaged<TrashEntry>(async (after, signal) => {
    const query = { limit: 100, after }
    return listed<TrashEntry>(api.GET('/v1/trash', { params: { query }, signal }))
  }, [])
  const restore = (entry: TrashEntry) =>
    run(async () => {
      const params = { path: { trash_id: entry._id } }
      await content(api.POST('/v1/trash/{trash_id}/restore', { params }))
      notify(`${entry.name} is back.`)
      go([entry.kind, entry._id])
    })
  const purge = (entry: TrashEntry) =>
    run(async () => {
      if (!confirm(`Remove ${entry.name} and its files for good?`)) return
      await content(api.DELETE('/v1/trash/{trash_id}', { params: { path: { trash_id: entry._id } } }))
      list.reload()
    })
  return (
    <section>
      <h1>Trash</h1>
      <p class="muted">What is deleted stays here for some days, and can be restored with all of its versions.</p>
      <Problem>{error || list.error}</Problem>
      <ListState list={list} empty="The trash is empty." />
      {list.docs.length > 0 && (
        <Table label="Trash" head={['Name', 'Deleted', 'Kept until', ACTIONS]}>
          {list.docs.map((entry) => (
            <tr key={entry._id}>
              <td>
                {entry.name} <span class="muted">{entry.kind.slice(0, -1)}</span>
              </td>
              <td>
                <span class="narrow-only">deleted </span>
                <When moment={entry.removed} /> by <Username id={entry.removed_by} />
              </td>
              <td>
                <span class="narrow-only">kept until </span>
                <time dateTime={entry.until}>{date(entry.until)}</time>
              </td>
              <td class="actions">
                <button type="button" class="small" aria-disabled={busy} onClick={() => restore(entry)}>
                  Restore<span class="hidden"> {entry.name}</span>
                </button>
                <button type="button" class="small" aria-disabled={busy} onClick={() => purge(entry)}>
                  Remove<span class="hidden"> {entry.name}</span> for good
                </button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <ShowMore list={list} />
    </section>
  )
}
