/** From chosen files to a version: the item, its draft, the files, and what is said of it. */
import { api, authorized, content, type FileInfo, type Item, type Kind, type Pair, Refusal, route } from '../api/client'
import { allFiles } from '../api/files'
import type { components } from '../api/schema'
import { plural } from '../components/format'
import { notify } from '../components/notices'
import { itemPath } from '../views/paths'
import { batched } from './batch'
import type { Found } from './dropped'
import type { Part } from './part'
import { patiently } from './patience'
import { Transfer } from './transfer'

const AT_ONCE = 3 // files, or batches of small ones

type NewVersion = components['schemas']['NewDraft'] | components['schemas']['StoredBytes']

export interface NewItem {
  name: string
  visibility: components['schemas']['Visibility']
  tags: string[]
}

export interface Plan {
  kind: Kind
  /** The item that gets the version. */
  item: string
  description: string
  metadata: Pair[]
  alias: string
}

/** What an attempt has made already: the next one goes on with it. */
export interface Made {
  item?: string
  draft?: string
}

type Waiting = (isWaiting: boolean) => void

export async function created(kind: Kind, item: NewItem): Promise<string> {
  const path = `/v1/${kind}` as '/v1/models'
  try {
    const made = await content(api.POST(path, { body: item }))
    return (made as Item)._id
  } catch (failure) {
    if (failure instanceof Refusal && failure.status === 409) {
      throw new Refusal(409, `You have a ${kind.slice(0, -1)} of this name. Open it, and add a version there.`)
    }
    throw failure
  }
}

/** What would be refused after the files have been sent is refused before. Throws a Refusal. */
export async function checked(kind: Kind, item: { item: string } | { name: string; tags: string[] }, plan: Said) {
  const metadata = filled(plan.metadata)
  const body = {
    kind,
    ...item,
    ...(metadata.length && { metadata }),
    ...(plan.description && { description: plan.description }),
    ...(plan.alias && { alias: plan.alias }),
  }
  await content(api.POST('/v1/preflight', { body }))
}

type Said = Pick<Plan, 'description' | 'metadata' | 'alias'>

const filled = (metadata: Pair[]) => metadata.filter((pair) => pair.value !== '')

/** The file of a version that is no folder. */
export function singleOf(files: Found[]): Transfer | null {
  const [first] = files
  return first && files.length === 1 && !first.path.includes('/') ? new Transfer(first.file, first.path) : null
}

/** What is sent on its own of a folder. */
export function partsOf(files: Found[]): Part[] {
  const { batches, large } = batched(files)
  return [...batches, ...large.map(({ file, path }) => new Transfer(file, path))]
}

/** Send the one file of a version, however often the server is away meanwhile. The result is its ordinal. */
export async function sendFile(plan: Plan, transfer: Transfer, onWait: Waiting): Promise<string> {
  const digest = await transfer.hash()
  if (await patiently(() => isStored(digest), onWait)) return reused(plan, transfer)
  return transfer.send({ kind: plan.kind, item: plan.item, description: plan.description })
}

/** The same of a folder. */
export async function sendFolder(
  plan: Plan,
  files: Found[],
  parts: Part[],
  made: Made,
  onWait: Waiting,
): Promise<string> {
  const { kind, item, description } = plan
  const kept = made.draft ?? remembered(plan, files)
  const found = kept ? await filesOfDraft(kind, item, kept) : null
  const draft = found && kept ? kept : await newVersion(kind, item, { draft: true, description })
  made.draft = draft
  remember(plan, files, draft)
  const there = new Map(found?.map((file) => [file.path, file.digest]))
  if (there.size) notify(`${plural(there.size, 'file')} of this folder arrived before, and will not be sent again.`)
  await inParallel(parts, (part) => part.sendUnlessThere({ kind, item, version: draft }, there))
  await patiently(() => closed(kind, item, draft), onWait)
  sessionStorage.removeItem(keyOf(plan))
  return draft
}

/** Say of a version what was typed. It may be done twice. */
export async function finished({ kind, item, metadata, alias }: Plan, ordinal: string, onWait: Waiting): Promise<void> {
  const add = filled(metadata)
  if (add.length) {
    const path = `${itemPath(kind)}/versions/{which}` as '/v1/models/{key}/versions/{which}'
    const params = { path: { key: item, which: ordinal } }
    await patiently(() => content(api.PUT(path, { params, body: { metadata: { add } } })), onWait)
  }
  if (alias) {
    const path = `${itemPath(kind)}/aliases/{alias}` as '/v1/models/{key}/aliases/{alias}'
    await patiently(
      () => content(api.PUT(path, { params: { path: { key: item, alias } }, body: { version: ordinal } })),
      onWait,
    )
  }
}

/** Whether the server has these bytes already, where this user may read them. */
async function isStored(digest: string): Promise<boolean> {
  return (await authorized(new Request(route(`/blobs/${digest}`), { method: 'HEAD' }))).ok
}

async function reused({ kind, item, description }: Plan, transfer: Transfer): Promise<string> {
  const { digest, file } = transfer
  const ordinal = await newVersion(kind, item, { digest: `sha256:${digest}`, name: file.name, description })
  transfer.skip()
  notify('The catalog had these bytes already: nothing was sent.')
  return ordinal
}

async function newVersion(kind: Kind, item: string, body: NewVersion): Promise<string> {
  const path = `/v1/${kind}/{key}/versions` as '/v1/models/{key}/versions'
  const made = await content(api.POST(path, { params: { path: { key: item } }, body }))
  const { ordinal, versions } = made as unknown as { ordinal?: string; versions?: { ordinal: string }[] }
  return ordinal ?? versions?.[0]?.ordinal ?? ''
}

async function closed(kind: Kind, item: string, draft: string): Promise<void> {
  const path = `${itemPath(kind)}/versions/{which}/close` as '/v1/models/{key}/versions/{which}/close'
  try {
    await content(api.POST(path, { params: { path: { key: item, which: draft } } }))
  } catch (failure) {
    // The answer to an earlier attempt was lost: it is closed.
    if (!(failure instanceof Refusal && failure.status === 409)) throw failure
  }
}

/** The files that a draft has, or null when it is no draft any more. */
async function filesOfDraft(kind: Kind, item: string, which: string): Promise<FileInfo[] | null> {
  const path = `${itemPath(kind)}/versions/{which}/info` as '/v1/models/{key}/versions/{which}/info'
  try {
    const version = await content(api.GET(path, { params: { path: { key: item, which } } }))
    return version.state === 'DRAFT' ? await allFiles(kind, item, version) : null
  } catch (failure) {
    if (failure instanceof Refusal && failure.status === 404) return null
    throw failure
  }
}

const keyOf = ({ kind, item }: Plan) => `catalog-draft ${kind} ${item}`

/** The draft that a reload of the page has interrupted, if it is of the same files. */
function remembered(plan: Plan, files: Found[]): string | undefined {
  const [of, draft] = sessionStorage.getItem(keyOf(plan))?.split('\n') ?? []
  return of === printOf(files) ? draft : undefined
}

function remember(plan: Plan, files: Found[], draft: string): void {
  sessionStorage.setItem(keyOf(plan), `${printOf(files)}\n${draft}`)
}

/** Tells a choice of files from another one: how many, how large, and the first name. */
const printOf = (files: Found[]): string => {
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0)
  return encodeURIComponent(`${files.length} ${bytes} ${files[0]?.path}`)
}

/** Once one has failed, no other one is begun. */
async function inParallel<T>(all: T[], act: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all]
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await act(next).catch((failure) => {
        waiting.length = 0
        throw failure
      })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
