import { api, content, type Item, type Kind } from '../api/client'
import { Completion, type Suggestion } from '../components/completion'
import { Dialog } from '../components/dialog'
import { useAction } from '../components/hooks'
import { Chip, Problem } from '../components/parts'
import { itemPath } from './item'

interface Props {
  kind: Kind
  item: Item
  onClose: () => void
  onSaved: () => void
}

/** Who may read an item. Each change is saved at once. */
export function Sharing({ kind, item, onClose, onSaved }: Props) {
  const { busy, error, run } = useAction()
  const change = (body: Record<string, unknown>) =>
    run(async () => {
      await content(api.PUT(itemPath(kind), { params: { path: { key: item._id } }, body: body as never }))
      onSaved()
    })
  return (
    <Dialog title={`Share ${item.name}`} onClose={onClose}>
      <Problem>{error}</Problem>
      <fieldset disabled={busy}>
        <legend>Who may read it</legend>
        {(['private', 'public'] as const).map((visibility) => (
          <label key={visibility} class="check">
            <input
              type="radio"
              name="visibility"
              checked={item.visibility === visibility}
              onChange={() => change({ visibility })}
            />
            {visibility === 'public' ? 'Everybody in the organisation' : 'Its owner, administrators, and these people'}
          </label>
        ))}
        <p class="chips">
          {item.users.map((user) => (
            <Chip
              key={user._id}
              label={user.username}
              onRemove={() => change({ users: { remove: [user._id], add: [] } })}
            >
              {user.username}
            </Chip>
          ))}
        </p>
        <Completion
          label="Add a person"
          suggest={people}
          onPick={(name) => change({ users: { remove: [], add: [name] } })}
        />
      </fieldset>
    </Dialog>
  )
}

async function people(text: string, signal: AbortSignal): Promise<Suggestion[]> {
  const filter = text ? { filter: JSON.stringify({ username: { $regex: `^${escaped(text)}`, $options: 'i' } }) } : {}
  const found = await content(api.GET('/v1/users', { params: { query: { limit: 8, ...filter } }, signal }))
  return (found as unknown as { docs: { username: string }[] }).docs.map((user) => ({ value: user.username }))
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
