/** What several views ask for: terms, and the usernames of ids. */
import type { Suggestion } from '../components/completion'
import { api, content, type Kind, listed } from './client'

export async function suggestedTags(q: string, signal: AbortSignal): Promise<Suggestion[]> {
  const found = await content(api.GET('/v1/tags/suggest', { params: { query: { q, limit: 8 } }, signal }))
  return found.docs.map((term) => ({ value: term._id, note: String(term.uses) }))
}

export async function suggestedNames(q: string, signal: AbortSignal): Promise<Suggestion[]> {
  const found = await content(api.GET('/v1/metadata/suggest', { params: { query: { q, limit: 8 } }, signal }))
  return found.docs.map((term) => ({ value: term._id, note: String(term.uses) }))
}

/** The items whose names begin with what was typed. */
export async function suggestedItems(q: string, kind: Kind | '', signal: AbortSignal) {
  const query = { q, limit: 4, ...(kind && { kind: [kind] }) }
  return (await content(api.GET('/v1/search/names', { params: { query }, signal }))).docs
}

const usernames = new Map<string, Promise<string>>()
const MOST_AT_ONCE = 100
let wanted: string[] = []
let names: Promise<Map<string, string>> | null = null

/** The username of an id, if the user is still there. */
export function username(id: string): Promise<string> {
  let known = usernames.get(id)
  if (!known) {
    if (!names || wanted.length >= MOST_AT_ONCE) {
      const ids: string[] = [id]
      wanted = ids
      // What a list shows is asked for together, once all of it has been drawn.
      names = new Promise((resolve) => setTimeout(resolve)).then(() => namesOf(ids))
    } else wanted.push(id)
    known = names.then((found) => found.get(id) ?? 'a former user')
    known.catch(() => usernames.delete(id))
    usernames.set(id, known)
  }
  return known
}

interface Named {
  _id: string
  username: string
}

async function namesOf(ids: string[]): Promise<Map<string, string>> {
  if (wanted === ids) names = null
  const query = { limit: ids.length, after: '', filter: JSON.stringify({ _id: { $in: ids } }) }
  const { docs } = await listed<Named>(api.GET('/v1/users', { params: { query } }))
  return new Map(docs.map((user) => [user._id, user.username]))
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The filter of a list for texts that begin with what was typed. */
export const beginning = (field: string, text: string) =>
  text ? { filter: JSON.stringify({ [field]: { $regex: `^${escaped(text)}`, $options: 'i' } }) } : {}

export async function people(text: string, signal: AbortSignal): Promise<Suggestion[]> {
  const query = { limit: 8, ...beginning('username', text) }
  const { docs } = await listed<Named>(api.GET('/v1/users', { params: { query }, signal }))
  return docs.map((user) => ({ value: user.username, id: user._id }))
}

export async function peopleAndGroups(text: string, signal: AbortSignal): Promise<Suggestion[]> {
  const query = { limit: 4, ...beginning('name', text) }
  const [users, groups] = await Promise.all([
    people(text, signal),
    listed<{ name: string }>(api.GET('/v1/groups', { params: { query }, signal })),
  ])
  return [...groups.docs.map((group) => ({ value: group.name, note: 'group' })), ...users]
}
