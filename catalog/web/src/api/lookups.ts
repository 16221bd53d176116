/** What several views ask for: terms, and the usernames of ids. */
import type { Suggestion } from '../components/completion'
import { api, content } from './client'

export async function suggestedTags(q: string, signal: AbortSignal): Promise<Suggestion[]> {
  const found = await content(api.GET('/v1/tags/suggest', { params: { query: { q, limit: 8 } }, signal }))
  return found.docs.map((term) => ({ value: term._id, note: String(term.uses) }))
}

export async function suggestedNames(q: string, signal: AbortSignal): Promise<Suggestion[]> {
  const found = await content(api.GET('/v1/metadata/suggest', { params: { query: { q, limit: 8 } }, signal }))
  return found.docs.map((term) => ({ value: term._id, note: String(term.uses) }))
}

const usernames = new Map<string, Promise<string>>()

/** The username of an id. A user who was removed is shown as the id. */
export function username(id: string): Promise<string> {
  let known = usernames.get(id)
  if (!known) {
    known = content(api.GET('/v1/users/{user}', { params: { path: { user: id } } })).then(
      (user) => user.username ?? id,
      () => id,
    )
    usernames.set(id, known)
  }
  return known
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The filter of a list for texts that begin with what was typed. */
export const beginning = (field: string, text: string) =>
  text ? { filter: JSON.stringify({ [field]: { $regex: `^${escaped(text)}`, $options: 'i' } }) } : {}

export async function people(text: string, signal: AbortSignal): Promise<Suggestion[]> {
  const query = { limit: 8, ...beginning('username', text) }
  const found = await content(api.GET('/v1/users', { params: { query }, signal }))
  return (found as unknown as { docs: { username: string }[] }).docs.map((user) => ({ value: user.username }))
}

export async function peopleAndGroups(text: string, signal: AbortSignal): Promise<Suggestion[]> {
  const query = { limit: 4, ...beginning('name', text) }
  const [users, groups] = await Promise.all([
    people(text, signal),
    content(api.GET('/v1/groups', { params: { query }, signal })),
  ])
  const named = (groups as unknown as { docs: { name: string }[] }).docs
  return [...named.map((group) => ({ value: group.name, note: 'group' })), ...users]
}
