import { api, content, listed } from '../../api/client'
import { people } from '../../api/lookups'
import type { components } from '../../api/schema'
import { Completion } from '../../components/completion'
import { plural } from '../../components/format'
import { AddForm } from '../../components/forms'
import { useAction, useLoaded } from '../../components/hooks'
import { notify } from '../../components/notices'
import { usePaged } from '../../components/paged'
import { Chip, Problem } from '../../components/parts'
import { ListState, ShowMore } from '../../components/table'
import { Panel } from './panel'

type Group = components['schemas']['Group']
type Whole = components['schemas']['GroupWithMembers']

export function Groups() {
  const list = usePaged<Group>(async (after, signal) => {
    const query = { limit: 50, after, sort: '{"name":"asc"}' }
    return listed<Group>(api.GET('/v1/groups', { params: { query }, signal }))
  }, [])
  return (
    <>
      <h2>Groups</h2>
      <p class="muted">Members of a group can read what is shared with the group.</p>
      <AddForm
        label="Add a group"
        add={async ({ text }) => {
          await content(api.POST('/v1/groups', { body: { name: text('name'), description: text('description') } }))
          list.reload()
        }}
      >
        <label>
          Name
          <input name="name" required autoComplete="off" placeholder="vision" />
        </label>
        <label>
          Description
          <input name="description" autoComplete="off" />
        </label>
      </AddForm>
      <Problem>{list.error}</Problem>
      <ListState list={list} empty="There is no group yet." />
      {list.docs.map((group) => (
        <Members key={group._id} group={group} onChange={list.reload} />
      ))}
      <ShowMore list={list} />
    </>
  )
}

/** A list of groups is without their members: each is read when it is shown. */
function Members({ group, onChange }: { group: Group; onChange: () => void }) {
  const { busy, error, run } = useAction()
  const params = { path: { group: group._id } }
  const whole = useLoaded(
    async (signal) => (await content(api.GET('/v1/groups/{group}', { params, signal }))) as Whole,
    [group._id],
  )
  const change = (members: { add?: string[]; remove?: string[] }) =>
    run(async () => {
      await content(api.PUT('/v1/groups/{group}', { params, body: { members } }))
      whole.reload()
    })
  const remove = () =>
    run(async () => {
      if (!confirm(`Remove the group ${group.name}? What was shared with it no longer is.`)) return
      await content(api.DELETE('/v1/groups/{group}', { params }))
      notify(`The group ${group.name} is removed.`)
      onChange()
    })
  const members = whole.data?.members ?? []
  return (
    <Panel
      label={`Group ${group.name}`}
      title={group.name}
      facts={[whole.data && plural(members.length, 'member'), group.description]}
      actions={
        <button type="button" class="small" aria-disabled={busy} onClick={remove} aria-label={`Remove ${group.name}`}>
          Remove
        </button>
      }
    >
      <Problem>{error || whole.error}</Problem>
      <p class="chips">
        {members.map((member) => (
          <Chip
            key={member._id}
            label={`${member.username} from ${group.name}`}
            onRemove={() => change({ remove: [member._id] })}
          >
            {member.username}
          </Chip>
        ))}
      </p>
      <div class="narrow-form">
        <Completion
          label={`Add a member to ${group.name}`}
          suggest={people}
          onPick={(name) => change({ add: [name] })}
        />
      </div>
    </Panel>
  )
}
