/** Why a user can see an item, in words. */
import type { components } from '../api/schema'

export type Access = components['schemas']['ItemAccess']
export type Grant = Access['grants'][number]

interface Reader {
  userId: string
  isAdmin: boolean
}

/** `groups` are the ids of the groups that the user belongs to. */
export function reasons(access: Access, reader: Reader | null, groups: string[]): string {
  const mine = access.grants.filter((grant) => grant._id === reader?.userId || groups.includes(grant._id))
  const owner = access.grants.find((grant) => grant.may === 'manage')?.name
  const parts = mine.map((grant) => {
    if (grant.may === 'manage') return 'it is yours'
    const whom = grant.kind === 'group' ? `your group ${grant.name}` : 'you'
    if (grant.shared_by) return `${grant.shared_by} has shared it with ${whom}`
    return `this item${owner ? ` of ${owner}` : ''} is shared with ${whom}`
  })
  if (access.visibility === 'public') parts.push('it is public')
  if (reader?.isAdmin) parts.push('you are an administrator')
  return parts.length ? `You see it because ${parts.join(', and because ')}.` : ''
}
