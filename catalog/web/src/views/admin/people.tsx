import { useState } from 'preact/hooks'
import { api, content, listed } from '../../api/client'
import { beginning, people } from '../../api/lookups'
import type { components } from '../../api/schema'
import { Completion } from '../../components/completion'
import { Dialog } from '../../components/dialog'
import { FilterField } from '../../components/field'
import { FoldedAddForm, OnlyOnce } from '../../components/forms'
import { sentence, useAction } from '../../components/hooks'
import { notify } from '../../components/notices'
import { usePaged } from '../../components/paged'
import { Problem, When } from '../../components/parts'
import { ACTIONS, ListState, ShowMore, Table } from '../../components/table'
import { randomPassword } from '../../logic/passwords'
import { place, setQuery } from '../../router'
import { session } from '../../session'

type Person = components['schemas']['User']
type Role = 'admin' | 'regular'

interface Secret {
  username: string
  password: string
}

export function People() {
  const q = place.value.query.get('q') ?? ''
  const list = usePaged<Person>(
    async (after, signal) => {
      const query = { limit: 50, after, sort: '{"username":"asc"}', ...beginning('username', q) }
      return listed<Person>(api.GET('/v1/users', { params: { query }, signal }))
    },
    [q],
  )
  const [secret, setSecret] = useState<Secret | null>(null)
  const { busy, error, run } = useAction()
  const [leaving, setLeaving] = useState<Person | null>(null)
  const at = (person: Person) => ({ path: { user: person._id } })
  const change = (person: Person, body: { role?: Role; password?: string }) =>
    run(async () => {
      await content(api.PUT('/v1/users/{user}', { params: at(person), body }))
      if (body.password) setSecret({ username: person.username, password: body.password })
      else notify(`${person.username} is ${body.role === 'admin' ? 'an administrator' : 'a member'} now.`)
      list.reload()
    })
  const signOut = (person: Person) =>
    run(async () => {
      await content(api.POST('/v1/users/{user}/signout', { params: at(person) }))
      notify(`${person.username} is signed out everywhere.`)
    })
  return (
    <>
      <h2>People</h2>
      <OnlyOnce what={`The password of ${secret?.username}.`} secret={secret?.password ?? ''} />
      <NewPerson
        onCreated={(created) => {
          setSecret(created)
          list.reload()
        }}
      />
      <div class="narrow-form above">
        <FilterField
          label="Find by name"
          value={q}
          onChange={(text) => setQuery((query) => (text ? query.set('q', text) : query.delete('q')), true)}
        />
      </div>
      <Problem>{error || list.error}</Problem>
      <ListState list={list} empty="There is no user with this name." />
      <Table label="People" head={['Name', 'E-mail', 'Role', 'Password', ACTIONS]}>
        {list.docs.map((person) => (
          <tr key={person._id}>
            <td class="wrap">
              <strong>{person.username}</strong>
            </td>
            <td class="wrap">{person.email}</td>
            <td>
              <select
                aria-label={`Role of ${person.username}`}
                value={person.role}
                disabled={person._id === session.value?.userId}
                aria-disabled={busy}
                onChange={(event) => change(person, { role: event.currentTarget.value as Role })}
              >
                <option value="regular">member</option>
                <option value="admin">administrator</option>
              </select>
            </td>
            <td class="muted">
              {person.createdPassword && (
                <>
                  set <When moment={person.createdPassword} />
                </>
              )}
            </td>
            <td class="actions">
              <button
                type="button"
                class="small"
                aria-disabled={busy}
                onClick={() =>
                  confirm(`Set a new password for ${person.username}, and end all of their sessions and tokens?`) &&
                  change(person, { password: randomPassword() })
                }
              >
                New password<span class="hidden"> for {person.username}</span>
              </button>
              <button type="button" class="small" aria-disabled={busy} onClick={() => signOut(person)}>
                Sign out<span class="hidden"> {person.username}</span>
              </button>
              <button type="button" class="small" aria-disabled={busy} onClick={() => setLeaving(person)}>
                Remove<span class="hidden"> {person.username}</span>
              </button>
            </td>
          </tr>
        ))}
      </Table>
      <ShowMore list={list} />
      {leaving && <Leaving person={leaving} onClose={() => setLeaving(null)} onRemoved={list.reload} />}
    </>
  )
}

function NewPerson({ onCreated }: { onCreated: (created: Secret) => void }) {
  return (
    <FoldedAddForm
      title="Add a person"
      label="Add"
      add={async ({ text, exact }) => {
        const username = text('username')
        const password = exact('password') || randomPassword()
        const body = { username, password, email: text('email'), role: text('role') as Role }
        await content(api.POST('/v1/users', { body }))
        onCreated({ username, password })
      }}
    >
      <label>
        Username
        <input name="username" required autoComplete="off" />
      </label>
      <label>
        E-mail
        <input name="email" type="email" required autoComplete="off" />
      </label>
      <label>
        Role
        <select name="role">
          <option value="regular">member</option>
          <option value="admin">administrator</option>
        </select>
      </label>
      <label>
        Password
        <input name="password" type="password" autoComplete="new-password" placeholder="a random one" />
      </label>
    </FoldedAddForm>
  )
}

/** A user who owns something is removed only when another user gets it. */
function Leaving({ person, onClose, onRemoved }: { person: Person; onClose: () => void; onRemoved: () => void }) {
  const { busy, error, run } = useAction()
  const [heir, setHeir] = useState('')
  const remove = () =>
    run(async () => {
      const query = heir ? { transfer: heir } : {}
      const params = { path: { user: person._id }, query }
      await content(api.DELETE('/v1/users/{user}', { params })).catch((failure) => {
        if (!/^Used in /.test(sentence(failure))) throw failure
        throw new Error(`${person.username} owns models or datasets. Choose who gets them.`)
      })
      notify(`${person.username} is removed.`)
      onRemoved()
      onClose()
    })
  return (
    <Dialog title={`Remove ${person.username}`} onClose={onClose}>
      <Problem>{error}</Problem>
      <p>Sessions and tokens end at once. Choose who gets what {person.username} owns:</p>
      {heir && (
        <p>
          <strong>{heir}</strong>
        </p>
      )}
      <Completion label="New owner" suggest={people} onPick={setHeir} />
      <p class="actions">
        <button type="button" class="main" aria-disabled={busy} onClick={remove}>
          {heir ? `Transfer everything to ${heir}, and remove` : 'Remove'}
        </button>
      </p>
    </Dialog>
  )
}
