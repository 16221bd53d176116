import { api, content, type Item, type Kind } from '../../api/client'
import { peopleAndGroups } from '../../api/lookups'
import { Completion } from '../../components/completion'
import { Dialog } from '../../components/dialog'
import { passFocus } from '../../components/focus'
import { useAction } from '../../components/hooks'
import { Loading, Problem } from '../../components/parts'
import type { Grant } from '../../logic/access'
import type { ItemChange } from '../../logic/changes'
import { itemPath } from '../paths'
import { useAccess } from './access'

interface Props {
  kind: Kind
  item: Item
  onClose: () => void
  onSaved: () => void
}

type Right = 'read' | 'edit'
const FIELDS: Record<Right, 'users' | 'editors'> = { read: 'users', edit: 'editors' }

/** Who may read and who may edit an item. Each change is saved at once. */
export function Sharing({ kind, item, onClose, onSaved }: Props) {
  const { busy, error, run } = useAction()
  const loaded = useAccess(kind, item)
  const change = (body: ItemChange) =>
    run(async () => {
      await content(api.PUT(itemPath(kind), { params: { path: { key: item._id } }, body }))
      loaded.reload()
      onSaved()
    })
  const allow = (grant: Grant, may: Right | '') =>
    change({
      ...(grant.may !== may && { [FIELDS[grant.may as Right]]: { remove: [grant._id], add: [] } }),
      ...(may && { [FIELDS[may]]: { remove: [], add: [grant._id] } }),
    })
  return (
    <Dialog title={`Share ${item.name}`} onClose={onClose}>
      <p class="muted">Each change applies at once.</p>
      <Problem>{error}</Problem>
      <fieldset aria-busy={busy}>
        <legend>Who can read it</legend>
        {(['private', 'public'] as const).map((visibility) => (
          <label key={visibility} class="check">
            <input
              type="radio"
              name="visibility"
              checked={item.visibility === visibility}
              onChange={() => change({ visibility })}
            />
            {visibility === 'public'
              ? 'Everyone in the organisation'
              : 'The owner, administrators, and the people and groups below'}
          </label>
        ))}
        <Loading of={loaded}>
          {({ access }) => (
            <ul class="plain">
              {access.grants
                .filter((grant) => grant.may !== 'manage')
                .map((grant) => (
                  <li key={grant._id} class="row">
                    <span class="wide">
                      {grant.kind === 'group' ? 'Group ' : ''}
                      <strong>{grant.name}</strong>
                      {grant.shared_by && <span class="muted"> by {grant.shared_by}</span>}
                    </span>
                    <select
                      class="narrow-choice"
                      aria-label={`Access of ${grant.name}`}
                      value={grant.may}
                      onChange={(event) => allow(grant, event.currentTarget.value as Right)}
                    >
                      <option value="read">can read</option>
                      <option value="edit">can read and change</option>
                    </select>
                    <button
                      type="button"
                      class="quiet"
                      aria-label={`Remove ${grant.name}`}
                      onClick={(event) => {
                        passFocus(event.currentTarget)
                        allow(grant, '')
                      }}
                    >
                      ✕
                    </button>
                  </li>
                ))}
            </ul>
          )}
        </Loading>
        <Completion
          label="Add a person or a group"
          suggest={peopleAndGroups}
          onPick={(name) => change({ users: { remove: [], add: [name] } })}
        />
      </fieldset>
    </Dialog>
  )
}
