import { useState } from 'preact/hooks'
import { api, content, listed } from '../../api/client'
import type { components } from '../../api/schema'
import { AddForm, OnlyOnce, TokenFields, TokenLife } from '../../components/forms'
import { useAction } from '../../components/hooks'
import { notify } from '../../components/notices'
import { usePaged } from '../../components/paged'
import { Chip, Problem } from '../../components/parts'
import { ACTIONS, ListState, ShowMore, Table } from '../../components/table'

type Robot = components['schemas']['Robot']
type Scope = 'read' | 'write'

/** Accounts for pipelines, which belong to no person. */
export function Robots() {
  const list = usePaged<Robot>(async (after, signal) => {
    const query = { limit: 50, after }
    return listed<Robot>(api.GET('/v1/robots', { params: { query }, signal }))
  }, [])
  const { busy, error, run } = useAction()
  const [token, setToken] = useState('')
  const params = (robot: Robot) => ({ path: { robot: robot._id } })
  const renew = (robot: Robot) =>
    run(async () => {
      if (!confirm(`Create a new token for ${robot.username}? The old one stops working at once.`)) return
      const made = await content(
        api.POST('/v1/robots/{robot}/token', { params: params(robot), body: { expires_in: '90d' } }),
      )
      setToken(made.token)
      list.reload()
    })
  const remove = (robot: Robot) =>
    run(async () => {
      if (!confirm(`Remove ${robot.username}? Its token stops working at once.`)) return
      await content(api.DELETE('/v1/robots/{robot}', { params: params(robot) }))
      notify(`${robot.username} is removed.`)
      list.reload()
    })
  return (
    <>
      <h2>Robots</h2>
      <p class="muted">Accounts for pipelines and scripts. They stay when people leave.</p>
      <OnlyOnce what="Copy the token now." secret={token} />
      <AddForm
        label="Add a robot"
        add={async ({ text }) => {
          const body = {
            username: text('username'),
            description: text('description'),
            scopes: [text('scope') as Scope],
            expires_in: text('life'),
          }
          setToken((await content(api.POST('/v1/robots', { body }))).token)
          list.reload()
        }}
      >
        <label>
          Name
          <input name="username" required autoComplete="off" placeholder="nightly-build" />
        </label>
        <label>
          Description
          <input name="description" autoComplete="off" />
        </label>
        <TokenFields lives={['90d', '30d', '365d']} />
      </AddForm>
      <Problem>{error || list.error}</Problem>
      <ListState list={list} empty="There is no robot yet." />
      {list.docs.length > 0 && (
        <Table label="Robots" head={['Name', 'Scope', 'Limited to', 'Token', ACTIONS]}>
          {list.docs.map((robot) => (
            <tr key={robot._id}>
              <td>
                <strong>{robot.username}</strong> <span class="muted">{robot.description}</span>
              </td>
              <td>{robot.scopes.includes('write') ? 'read and write' : 'read'}</td>
              <td class="chips">
                {robot.items.map((item) => (
                  <Chip key={item._id}>{item.name ?? 'an item that is gone'}</Chip>
                ))}
                {robot.tags.map((tag) => (
                  <Chip key={tag}>tag {tag}</Chip>
                ))}
                {!robot.items.length && !robot.tags.length && <span class="muted">what is shared with it</span>}
              </td>
              <td>
                {robot.expires ? (
                  <TokenLife token={{ expires: robot.expires, used: robot.used }} />
                ) : (
                  <span class="muted">none</span>
                )}
              </td>
              <td class="actions">
                <button type="button" class="small" aria-disabled={busy} onClick={() => renew(robot)}>
                  New token<span class="hidden"> for {robot.username}</span>
                </button>
                <button type="button" class="small" aria-disabled={busy} onClick={() => remove(robot)}>
                  Remove<span class="hidden"> {robot.username}</span>
                </button>
              </td>
            </tr>
          ))}
        </Table>
      )}
      <ShowMore list={list} />
    </>
  )
}
