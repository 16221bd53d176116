/** What an edit changes of an item. */
import type { components } from '../api/schema'

type Item = components['schemas']['SearchHit']
type Pair = components['schemas']['Pair']

export interface Draft {
  description: string
  license: string
  status: string
  archived: boolean
  tags: string[]
  metadata: Pair[]
}

export const draftOf = (item: Item): Draft => ({
  description: item.description,
  license: item.license,
  status: item.status ?? '',
  archived: item.archived,
  tags: item.tags,
  metadata: item.metadata,
})

/** A value as it was typed: a number or `true` if it reads back the same, else a text. */
export function typed(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  const number = Number(text)
  return text.trim() && Number.isFinite(number) && String(number) === text.trim() ? number : text
}

/** The body of a PUT: what differs, lists as what they lose and gain. */
export function changeOf(item: Item, draft: Draft): Record<string, unknown> {
  const before = draftOf(item)
  const change: Record<string, unknown> = {}
  for (const field of ['description', 'license', 'status', 'archived'] as const) {
    if (draft[field] !== before[field]) change[field] = draft[field]
  }
  const tags = difference(before.tags, draft.tags)
  if (tags) change.tags = tags
  const metadata = pairsChange(before.metadata, draft.metadata)
  if (metadata) change.metadata = metadata
  return change
}

/** What pairs lose and gain, or null when they stay as they are. */
export function pairsChange(before: Pair[], after: Pair[]): { remove: string[]; add: Pair[] } | null {
  const names = after.map((pair) => pair.name)
  const remove = before.map((pair) => pair.name).filter((name) => !names.includes(name))
  const add = after.filter((pair) => !before.some((old) => old.name === pair.name && old.value === pair.value))
  return remove.length || add.length ? { remove, add } : null
}

function difference(before: string[], after: string[]): { remove: string[]; add: string[] } | null {
  const remove = before.filter((each) => !after.includes(each))
  const add = after.filter((each) => !before.includes(each))
  return remove.length || add.length ? { remove, add } : null
}
