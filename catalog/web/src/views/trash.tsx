import { api, content, listed, type TrashEntry } from '../api/client'
import { date } from '../components/format'
import { useAction, useLoaded } from '../components/hooks'
import { notify } from '../components/notices'
import { Loading, Problem, When } from '../components/parts'
import { ACTIONS, Table } from '../components/table'
import { useTitle } from '../components/title'
import { Username } from '../components/username'
import { go } from '../router'

export function Trash() {
  useTitle('Trash')
  const { busy, error, run } = useAction()
  const loaded = useLoaded(async (signal) => {
    return (await listed<TrashEntry>(api.GET('/v1/trash', { params: { query: { limit: 100 } }, signal }))).docs
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
      loaded.reload()
    })
  return (
    <section>
      <h1>Trash</h1>
      <Problem>{error}</Problem>
      <Loading of={loaded}>
        {(entries) =>
          entries.length ? (
            <Table label="Trash" head={['Name', 'Removed', 'Kept until', ACTIONS]}>
              {entries.map((entry) => (
                <tr key={entry._id}>
                  <td>
                    {entry.name} <span class="muted">{entry.kind.slice(0, -1)}</span>
                  </td>
                  <td>
                    <span class="narrow-only">removed </span>
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
          ) : (
            <p class="muted">The trash is empty. What you delete stays here for some days.</p>
          )
        }
      </Loading>
    </section>
  )
}
