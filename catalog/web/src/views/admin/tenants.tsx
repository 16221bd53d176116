import { useState } from 'preact/hooks'
import { content, listed } from '../../api/client'
import { operator } from '../../api/operator'
import { FoldedAddForm, OnlyOnce } from '../../components/forms'
import { usePaged } from '../../components/paged'
import { Problem } from '../../components/parts'
import { ListState, ShowMore } from '../../components/table'
import { randomPassword } from '../../logic/passwords'
import { type Tenant, TenantPanel } from './tenant-panel'

export function Tenants() {
  const list = usePaged<Tenant>(async (after, signal) => {
    const query = { limit: 50, after }
    return listed<Tenant>(operator.GET('/v1/tenants', { params: { query }, signal }))
  }, [])
  const [secret, setSecret] = useState('')
  return (
    <>
      <h2>Tenants</h2>
      <NewTenant
        onCreated={(password) => {
          setSecret(password)
          list.reload()
        }}
      />
      <OnlyOnce what="The password of the administrator." secret={secret} />
      <Problem>{list.error}</Problem>
      <ListState list={list} empty="There is no tenant yet." />
      {list.docs.map((tenant) => (
        <TenantPanel key={tenant._id} tenant={tenant} onChange={list.reload} onSecret={setSecret} />
      ))}
      <ShowMore list={list} />
    </>
  )
}

function NewTenant({ onCreated }: { onCreated: (password: string) => void }) {
  return (
    <FoldedAddForm
      title="Add a tenant"
      label="Add"
      add={async ({ text }) => {
        const password = randomPassword()
        const body = {
          _id: text('name'),
          email: text('email'),
          organization: text('organization'),
          admin_username: text('administrator'),
          admin_password: password,
        }
        await content(operator.POST('/v1/tenants', { body }))
        onCreated(password)
      }}
    >
      <label>
        Name
        <input name="name" required autoComplete="off" placeholder="acme" />
      </label>
      <label>
        Organisation
        <input name="organization" autoComplete="off" placeholder="Acme Corporation" />
      </label>
      <label>
        E-mail
        <input name="email" type="email" required autoComplete="off" />
      </label>
      <label>
        Administrator
        <input name="administrator" required autoComplete="off" defaultValue="admin" />
      </label>
    </FoldedAddForm>
  )
}
