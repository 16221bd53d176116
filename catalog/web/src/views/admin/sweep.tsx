import { useState } from 'preact/hooks'
import { content } from '../../api/client'
import { operator } from '../../api/operator'
import type { components } from '../../api/schema'
import { size } from '../../components/format'
import { submitted } from '../../components/forms'
import { useAction } from '../../components/hooks'
import { Problem } from '../../components/parts'
import { Table } from '../../components/table'

type Report = components['schemas']['SweepReport']

/** Garbage collection: look first, then remove. */
export function Sweep() {
  const { busy, error, run } = useAction()
  const [report, setReport] = useState<Report | null>(null)
  const submit = (event: SubmitEvent) => {
    const { text } = submitted(event)
    const isDry = (event.submitter as HTMLButtonElement | null)?.value !== 'remove'
    run(async () => {
      const query = {
        grace: text('grace'),
        ...(text('tenant') && { tenant: text('tenant') }),
        ...(isDry && { dry_run: 'true' as const }),
      }
      setReport(await content(operator.POST('/v1/sweep', { params: { query } })))
    })
  }
  return (
    <>
      <h2>Sweep</h2>
      <p class="muted">
        Removes bytes that no version uses any more. The server does so by itself from time to time; with many files it
        takes minutes.
      </p>
      <form class="row" onSubmit={submit}>
        <label>
          Tenant
          <input name="tenant" autoComplete="off" placeholder="all" />
        </label>
        <label>
          Keep what is younger than
          <select name="grace">
            <option value="24h">a day</option>
            <option value="1h">an hour</option>
            <option value="10m">10 minutes</option>
          </select>
        </label>
        <button type="submit" value="look" aria-disabled={busy}>
          {busy ? 'Working…' : 'Show what would be removed'}
        </button>
        <button type="submit" value="remove" class="main" aria-disabled={busy}>
          Sweep
        </button>
      </form>
      <Problem>{error}</Problem>
      {report && (
        <>
          <p role="status">{report.dry_run ? 'This would be removed:' : 'This was removed:'}</p>
          <Table
            label="What the sweep found"
            head={['Tenant', 'Files', 'Size', 'Leftovers', 'Expired uploads', 'Damaged files']}
          >
            {report.tenants.map((tenant) => (
              <tr key={tenant._id}>
                <td>
                  {tenant._id} {tenant.refused && <span class="muted">{tenant.refused}</span>}
                </td>
                <td class="number">{tenant.blobs}</td>
                <td class="number">{tenant.bytes === undefined ? '' : size(tenant.bytes)}</td>
                <td class="number">{tenant.leftovers}</td>
                <td class="number">{tenant.uploads}</td>
                <td class="number">{tenant.damaged}</td>
              </tr>
            ))}
          </Table>
        </>
      )}
    </>
  )
}
