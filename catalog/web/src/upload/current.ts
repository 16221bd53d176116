/** The upload that runs. It goes on while other views are shown. */
import { computed, signal } from '@preact/signals'
import type { Kind } from '../api/client'
import { sentence } from '../components/hooks'
import { notify } from '../components/notices'
import { go, place } from '../router'
import type { Found } from './dropped'
import type { Part } from './part'
import {
  checked,
  created,
  finished,
  type Made,
  type NewItem,
  type Plan,
  partsOf,
  sendFile,
  sendFolder,
  singleOf,
} from './version'

export interface Order {
  kind: Kind
  /** The item that gets a version, or the one to create. */
  target: string | NewItem
  files: Found[]
  said: Pick<Plan, 'description' | 'metadata' | 'alias'>
}

interface Running {
  name: string
  parts: Part[]
}

export const running = signal<Running | null>(null)
/** Whether the server is waited for, between two files. */
export const waiting = signal(false)

/** How much has been sent of how much, in bytes. */
export const amount = computed(() => {
  const parts = running.value?.parts ?? []
  return {
    all: parts.reduce((sum, each) => sum + each.size, 0),
    sent: parts.reduce((sum, each) => sum + (each.phase.value === 'hashing' ? 0 : each.sent.value), 0),
  }
})

/** Upload what was ordered, and open it, unless the user is elsewhere by then. The result says what went wrong. */
export async function upload({ kind, target, files, said }: Order, made: Made): Promise<string> {
  const single = singleOf(files)
  const parts = single ? [single] : partsOf(files)
  const isNew = typeof target !== 'string'
  running.value = { name: isNew ? target.name : (files[0]?.path ?? ''), parts }
  addEventListener('beforeunload', warn)
  try {
    const { item: known } = made
    const into = isNew && !known ? { name: target.name, tags: target.tags } : { item: known ?? (target as string) }
    await checked(kind, into, said)
    const item = known ?? (isNew ? await created(kind, target) : target)
    made.item = item
    const plan = { kind, item, ...said }
    const onWait = (isWaiting: boolean) => {
      waiting.value = isWaiting
    }
    const ordinal = single ? await sendFile(plan, single, onWait) : await sendFolder(plan, files, parts, made, onWait)
    await finished(plan, ordinal, onWait)
    if (place.value.path[0] === 'upload') go([kind, item, ordinal])
    else notify('The upload is complete.', { label: 'Open it', act: () => go([kind, item, ordinal]) })
    return ''
  } catch (failure) {
    for (const each of parts) each.pause()
    if (place.value.path[0] !== 'upload') notify(`The upload has failed: ${sentence(failure)}`)
    return sentence(failure)
  } finally {
    running.value = null
    waiting.value = false
    removeEventListener('beforeunload', warn)
  }
}

/** The browser asks before the page is closed. */
function warn(event: BeforeUnloadEvent): void {
  event.preventDefault()
}
