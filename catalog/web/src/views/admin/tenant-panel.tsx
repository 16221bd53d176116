import { useState } from 'preact/hooks'
import { content } from '../../api/client'
import { operator } from '../../api/operator'
import type { components } from '../../api/schema'
import { Dialog } from '../../components/dialog'
import { plural, size } from '../../components/format'
import { submitted } from '../../components/forms'
import { useAction, useLoaded } from '../../components/hooks'
import { notify } from '../../components/notices'
import { Problem } from '../../components/parts'
import { bytesOf } from '../../logic/bytes'
import { randomPassword } from '../../logic/passwords'
import { Panel } from './panel'

export type Tenant = components['schemas']['TenantDetails']
type Policy = 'warn' | 'quarantine' | 'reject'

const POLICIES: Record<Policy, string> = {
  warn: 'warn',
  quarantine: 'quarantine the version',
  reject: 'reject the upload',
}

interface Props {
  tenant: Tenant
  onChange: () => void
  onSecret: (password: string) => void
}

/** A tenant, with what the operator sets of it. */
export function TenantPanel({ tenant, onChange, onSecret }: Props) {
  const { busy, error, run } = useAction()
  const [removing, setRemoving] = useState(false)
  const params = { path: { name: tenant._id } }
  const usage = useLoaded(
    (signal) => content(operator.GET('/v1/tenants/{name}/usage', { params, signal })),
    [tenant._id, tenant.quota_bytes],
  )
  const change = (bodyOf: () => { quota_bytes?: number; inspection?: Policy }) =>
    run(async () => {
      await content(operator.PUT('/v1/tenants/{name}', { params, body: bodyOf() }))
      notify(`${tenant._id} is changed.`)
      onChange()
    })
  const setQuota = (event: SubmitEvent) => {
    const { text } = submitted(event)
    change(() => ({ quota_bytes: bytesOf(text('quota')) }))
  }
  const newPassword = () =>
    run(async () => {
      if (!confirm(`Give the administrator of ${tenant._id} a new password, and end all sessions and tokens?`)) return
      const password = randomPassword()
      await content(operator.PUT('/v1/tenants/{name}/administrator', { params, body: { password } }))
      onSecret(password)
    })
  return (
    <Panel
      label={`Tenant ${tenant._id}`}
      title={tenant._id}
      facts={[
        tenant.organization,
        tenant.email,
        usage.data &&
          `${size(usage.data.bytes)}, ${plural(usage.data.models, 'model')}, ${plural(usage.data.users, 'user')}`,
      ]}
      actions={
        <>
          <button type="button" class="small" aria-disabled={busy} onClick={newPassword}>
            New password
          </button>
          <button type="button" class="small" aria-disabled={busy} onClick={() => setRemoving(true)}>
            Remove
          </button>
        </>
      }
    >
      <Problem>{error}</Problem>
      <div class="row">
        <form class="row flush" onSubmit={setQuota}>
          <label>
            Quota
            <input
              key={tenant.quota_bytes}
              name="quota"
              defaultValue={tenant.quota_bytes ? size(tenant.quota_bytes) : ''}
              placeholder="unlimited"
              autoComplete="off"
            />
          </label>
          <button type="submit" aria-disabled={busy}>
            Set
          </button>
        </form>
        <label class="narrow-choice">
          When an upload is suspicious
          <select
            value={tenant.inspection ?? 'warn'}
            aria-disabled={busy}
            onChange={(event) => {
              const inspection = event.currentTarget.value as Policy
              change(() => ({ inspection }))
            }}
          >
            {Object.entries(POLICIES).map(([key, text]) => (
              <option key={key} value={key}>
                {text}
              </option>
            ))}
          </select>
        </label>
      </div>
      {removing && <Removing tenant={tenant} onClose={() => setRemoving(false)} onRemoved={onChange} />}
    </Panel>
  )
}

/** The name is typed once more, so that no wrong tenant is removed. */
function Removing({ tenant, onClose, onRemoved }: { tenant: Tenant; onClose: () => void; onRemoved: () => void }) {
  const { busy, error, run } = useAction()
  const submit = (event: SubmitEvent) => {
    const confirm = submitted(event).exact('name')
    run(async () => {
      const params = { path: { name: tenant._id }, query: { confirm } }
      await content(operator.DELETE('/v1/tenants/{name}', { params }))
      notify(`${tenant._id} is removed.`)
      onClose()
      onRemoved()
    })
  }
  return (
    <Dialog title={`Remove ${tenant._id}`} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <p>Its database and its files are removed for good, with all people and items.</p>
        <Problem>{error}</Problem>
        <label>
          Type {tenant._id} to confirm
          <input name="name" required autoComplete="off" />
        </label>
        <button type="submit" class="main" aria-disabled={busy}>
          Remove for good
        </button>
      </form>
    </Dialog>
  )
}
