/** What an edit changes of an item. */
import type { components } from '../api/schema'

type Item = components['schemas']['SearchHit']
type Pair = components['schemas']['Pair']
type Version = components['schemas']['WholeVersion']

export type ItemChange = components['schemas']['ModelChange']
export type VersionChange = components['schemas']['VersionUpdate']
export type Status = components['schemas']['Status']

export interface Draft {
  description: string
  license: string
  /** A dataset has none. */
  status: Status | null
  archived: boolean
  tags: string[]
  metadata: Pair[]
}

export const draftOf = (item: Item): Draft => ({
  description: item.description,
  license: item.license,
  status: item.status ?? null,
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

/** Those of some fields that differ, as they are afterwards. */
function differing<T, K extends keyof T>(before: T, after: T, fields: readonly K[]): Partial<Pick<T, K>> {
  const change: Partial<Pick<T, K>> = {}
  for (const field of fields) {
    if (JSON.stringify(before[field]) !== JSON.stringify(after[field])) change[field] = after[field]
  }
  return change
}

/** The body of a PUT: what differs, lists as what they lose and gain. */
export function changeOf(item: Item, draft: Draft): ItemChange {
  const before = draftOf(item)
  const tags = difference(before.tags, draft.tags)
  const metadata = pairsChange(before.metadata, draft.metadata)
  return {
    ...differing(before, draft, ['description', 'license', 'status', 'archived']),
    ...(tags && { tags }),
    ...(metadata && { metadata }),
  }
}

const SAID = ['description', 'author', 'stage', 'archived', 'pinned'] as const

/** What people say of a version. */
export type Said = Pick<Version, (typeof SAID)[number] | 'metadata'>

/** The body of a PUT: what differs between two states of a version. */
export function changeOfVersion(before: Said, after: Said): VersionChange {
  const metadata = pairsChange(before.metadata, after.metadata)
  return { ...differing(before, after, SAID), ...(metadata && { metadata }) }
}

const CARD_FIELDS = [
  'license',
  'license_link',
  'library',
  'provider',
  'logo',
  'maturity',
  'languages',
  'tasks',
] as const

/** The body of a PUT that gives an item the fields of another state of it, of those that a card may set. */
export function cardFieldsChange(now: Item, then: Item): ItemChange {
  const tags = difference(now.tags, then.tags)
  const datasets = difference(idsOf(now), idsOf(then))
  return {
    ...differing(now, then, CARD_FIELDS),
    ...(tags && { tags }),
    ...(datasets && { datasets }),
  }
}

const idsOf = (item: Item): string[] =>
  (item.datasets ?? []).map((each) => (typeof each === 'string' ? each : each._id))

/** What pairs lose and gain, or null when they stay as they are. */
function pairsChange(before: Pair[], after: Pair[]): { remove: string[]; add: Pair[] } | null {
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
