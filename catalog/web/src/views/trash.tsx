import { api, content, type TrashEntry } from '../api/client'
import { age, date } from '../components/format'
import { useAction, useLoaded } from '../components/hooks'
import { Loading, notify, Problem, Scroll } from '../components/parts'
import { Username } from '../components/username'
import { go } from '../router'

export function Trash() {
  const { busy, error, run } = useAction()
  const loaded = useLoaded(async (signal) => {
    const found = await content(api.GET('/v1/trash', { params: { query: { limit: 100 } }, signal }))
    return (found as unknown as { docs: TrashEntry[] }).docs
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
            <Scroll label="Trash">
              <table>
                <thead>
                  <tr>
                    <th>Name</th>
                    <th>Removed</th>
                    <th>Until</th>
                    <th>
                      <span class="hidden">Actions</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {entries.map((entry) => (
                    <tr key={entry._id}>
                      <td>
                        {entry.name} <span class="muted">{entry.kind.slice(0, -1)}</span>
                      </td>
                      <td>
                        {age(entry.removed)} by <Username id={entry.removed_by} />
                      </td>
                      <td title={date(entry.until)}>{age(entry.until)}</td>
                      <td class="actions">
                        <button type="button" disabled={busy} onClick={() => restore(entry)}>
                          Restore
                        </button>
                        <button type="button" disabled={busy} onClick={() => purge(entry)}>
                          Remove for good
                        </button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          ) : (
            <p class="muted">The trash is empty. What you delete stays here for some days.</p>
          )
        }
      </Loading>
    </section>
  )
}
