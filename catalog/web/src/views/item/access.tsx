import { api, content, type Item, type Kind } from '../../api/client'
import { date } from '../../components/format'
import { useLoaded } from '../../components/hooks'
import { Loading } from '../../components/parts'
import { type Access, reasons } from '../../logic/access'
import { session } from '../../session'
import { itemPath } from '../paths'

/** Who can see an item and who may change it, and why the user who looks can. */
export function Readers({ kind, item }: { kind: Kind; item: Item }) {
  const loaded = useAccess(kind, item)
  return (
    <section>
      <h2>Who can see it</h2>
      <Loading of={loaded}>
        {({ access, groups }) => (
          <ul class="grants">
            {access.visibility === 'public' && <li>Everyone in the organisation can read it: it is public.</li>}
            {access.grants.map((grant) => (
              <li key={grant._id}>
                {grant.kind === 'group' ? 'Group ' : ''}
                <strong>{grant.name}</strong>{' '}
                <span class="muted" title={grant.shared && date(grant.shared)}>
                  {MEANINGS[grant.may]}
                  {grant.shared_by && `, shared by ${grant.shared_by}`}
                </span>
              </li>
            ))}
            <li class="muted">Administrators have full access.</li>
            <li>{reasons(access, session.value, groups)}</li>
          </ul>
        )}
      </Loading>
    </section>
  )
}

const MEANINGS: Record<string, string> = {
  manage: 'is the owner',
  edit: 'can read and change it',
  read: 'can read it',
}

export function useAccess(kind: Kind, item: Item) {
  return useLoaded(
    async (signal) => {
      const at = `${itemPath(kind)}/access` as '/v1/models/{key}/access'
      const access: Access = await content(api.GET(at, { params: { path: { key: item._id } }, signal }))
      const shared = access.grants.filter((grant) => grant.kind === 'group').map((grant) => grant._id)
      return { access, groups: await ownGroups(shared, signal) }
    },
    [kind, item._id, item.lastmod],
  )
}

/** Those of some groups that the user belongs to: their members are shown to members alone. */
async function ownGroups(ids: string[], signal: AbortSignal): Promise<string[]> {
  const answers = await Promise.all(
    ids.slice(0, 20).map((group) => content(api.GET('/v1/groups/{group}', { params: { path: { group } }, signal }))),
  )
  const userId = session.value?.userId
  return (answers as { _id: string; members?: { _id: string }[] }[])
    .filter((group) => group.members?.some((member) => member._id === userId))
    .map((group) => group._id)
}
