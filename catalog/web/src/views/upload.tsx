import { useMemo, useState } from 'preact/hooks'
import { api, authorized, content, type Item, KINDS, type Kind, type Pair, Refusal, route } from '../api/client'
import { plural, seconds, size } from '../components/format'
import { sentence } from '../components/hooks'
import { notify, Problem } from '../components/parts'
import { address, go, place } from '../router'
import { chosenFiles, droppedFiles, type Found, LEFT_OUT, withoutCommonFolder } from '../upload/dropped'
import { type Phase, Transfer } from '../upload/transfer'
import { Metadata, Tags } from './item/edit'
import { itemPath } from './paths'

const AT_ONCE = 3 // files

/** Upload files as a new version, of a new item or of one that is there. */
export function Upload() {
  const { query } = place.value
  const [kind, setKind] = useState<Kind>((query.get('kind') as Kind) || 'models')
  const [name, setName] = useState('')
  const [visibility, setVisibility] = useState<'private' | 'public'>('private')
  const [description, setDescription] = useState('')
  const [tags, setTags] = useState<string[]>([])
  const [metadata, setMetadata] = useState<Pair[]>([])
  const [alias, setAlias] = useState('')
  const [found, setFound] = useState<Found[]>([])
  const [running, setRunning] = useState<Transfer[] | null>(null)
  const [error, setError] = useState('')
  const target = query.get('item')

  const take = (files: Found[]) => {
    const kept = files.filter(({ path }) => !LEFT_OUT.test(path))
    if (kept.length < files.length) notify(`${plural(files.length - kept.length, 'file')} of tools left out.`)
    setFound(withoutCommonFolder(kept))
    if (!name && kept[0]) setName(kept[0].path.split('/')[0]?.replace(/\.[^.]+$/, '') ?? '')
  }
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    setError('')
    if (!found.length) return setError('Choose at least one file.')
    const transfers = found.map(({ file, path }) => new Transfer(file, path))
    setRunning(transfers)
    try {
      const item = target ?? (await created(kind, { name: name.trim(), visibility, tags }))
      const ordinal = await sendAll(kind, item, transfers, description)
      await finished(kind, item, ordinal, metadata, alias.trim().replace(/^@/, ''))
      go([kind, item, ordinal])
    } catch (failure) {
      setError(sentence(failure))
      setRunning(null)
    }
  }
  return (
    <section>
      <h1>{target ? 'Upload a version' : 'Upload a model or a dataset'}</h1>
      {running && <Progress transfers={running} />}
      <form class="stack wide-form" onSubmit={submit} hidden={running !== null}>
        <Problem>{error}</Problem>
        <Drop found={found} onFiles={take} />
        {!target && (
          <div class="row">
            <label>
              Kind
              <select value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
                {KINDS.map((each) => (
                  <option key={each} value={each}>
                    {each.slice(0, -1)}
                  </option>
                ))}
              </select>
            </label>
            <label>
              Name
              <input required maxLength={255} value={name} onInput={(event) => setName(event.currentTarget.value)} />
            </label>
            <label>
              Visibility
              <select
                value={visibility}
                onChange={(event) => setVisibility(event.currentTarget.value as 'private' | 'public')}
              >
                <option value="private">private</option>
                <option value="public">public in the organisation</option>
              </select>
            </label>
          </div>
        )}
        {!target && <Tags tags={tags} onChange={setTags} />}
        <label>
          What is new in this version
          <textarea rows={2} value={description} onInput={(event) => setDescription(event.currentTarget.value)} />
        </label>
        <Metadata pairs={metadata} onChange={setMetadata} />
        <label>
          Alias
          <input
            value={alias}
            pattern="@?[\w\-]*"
            placeholder="champion"
            onInput={(event) => setAlias(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="main">
          Upload {found.length > 0 && `${plural(found.length, 'file')}, ${size(total(found.map((each) => each.file)))}`}
        </button>
      </form>
    </section>
  )
}

const total = (files: { size: number }[]) => files.reduce((sum, file) => sum + file.size, 0)

function Drop({ found, onFiles }: { found: Found[]; onFiles: (files: Found[]) => void }) {
  const [over, setOver] = useState(false)
  const drop = async (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    if (event.dataTransfer) onFiles(await droppedFiles(event.dataTransfer))
  }
  const choose = (event: Event) => {
    const field = event.currentTarget as HTMLInputElement
    if (field.files) onFiles(chosenFiles(field.files))
  }
  return (
    <fieldset
      class={`drop ${over ? 'over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <legend>Files</legend>
      <p>Drop files or a folder here, or choose them:</p>
      <div class="row">
        <label>
          Files
          <input type="file" multiple onChange={choose} />
        </label>
        <label>
          A folder
          <input type="file" {...{ webkitdirectory: true }} onChange={choose} />
        </label>
      </div>
      {found.length > 0 && (
        <ul class="plain">
          {found.slice(0, 10).map(({ file, path }) => (
            <li key={path}>
              {path} <span class="muted">{size(file.size)}</span>
            </li>
          ))}
          {found.length > 10 && <li class="muted">and {found.length - 10} more</li>}
        </ul>
      )}
    </fieldset>
  )
}

async function created(kind: Kind, item: { name: string; visibility: string; tags: string[] }): Promise<string> {
  const path = `/v1/${kind}` as '/v1/models'
  try {
    const made = await content(api.POST(path, { body: item as never }))
    return (made as unknown as Item)._id
  } catch (failure) {
    if (failure instanceof Refusal && failure.status === 409) {
      throw new Refusal(409, `You have a ${kind.slice(0, -1)} of this name. Open it, and add a version there.`)
    }
    throw failure
  }
}

/** Send the files of one version. The result is its ordinal. */
async function sendAll(kind: Kind, item: string, transfers: Transfer[], description: string): Promise<string> {
  const [single] = transfers
  if (transfers.length === 1 && single && !single.path.includes('/')) {
    const digest = await single.hash()
    if (await isStored(digest)) return reused(kind, item, single, description)
    return single.send({ kind, item, description })
  }
  const draft = await newVersion(kind, item, { draft: true, description })
  await inParallel(transfers, async (transfer) => {
    await transfer.hash()
    await transfer.send({ kind, item, version: draft })
  })
  const path = `/v1/${kind}/{key}/versions/{which}/close` as '/v1/models/{key}/versions/{which}/close'
  await content(api.POST(path, { params: { path: { key: item, which: draft } } }))
  return draft
}

/** Whether the server has these bytes already, where this user may read them. */
async function isStored(digest: string): Promise<boolean> {
  const answer = await authorized(new Request(route(`/blobs/${digest}`), { method: 'HEAD' })).catch(() => null)
  return answer?.ok ?? false
}

async function reused(kind: Kind, item: string, transfer: Transfer, description: string): Promise<string> {
  const { digest, file } = transfer
  const ordinal = await newVersion(kind, item, { digest: `sha256:${digest}`, name: file.name, description })
  transfer.sent.value = file.size
  transfer.phase.value = 'done'
  notify('The catalog had these bytes already: nothing was sent.')
  return ordinal
}

async function newVersion(kind: Kind, item: string, body: object): Promise<string> {
  const path = `/v1/${kind}/{key}/versions` as '/v1/models/{key}/versions'
  const made = await content(api.POST(path, { params: { path: { key: item } }, body: body as never }))
  const { ordinal, versions } = made as unknown as { ordinal?: string; versions?: { ordinal: string }[] }
  return ordinal ?? versions?.[0]?.ordinal ?? ''
}

async function finished(kind: Kind, item: string, ordinal: string, metadata: Pair[], alias: string): Promise<void> {
  const filled = metadata.filter((pair) => pair.value !== '')
  if (filled.length) {
    const path = `${itemPath(kind)}/versions/{which}` as '/v1/models/{key}/versions/{which}'
    const body = { metadata: { add: filled } }
    await content(api.PUT(path, { params: { path: { key: item, which: ordinal } }, body }))
  }
  if (alias) {
    const path = `${itemPath(kind)}/aliases/{alias}` as '/v1/models/{key}/aliases/{alias}'
    await content(api.PUT(path, { params: { path: { key: item, alias } }, body: { version: ordinal } }))
  }
}

async function inParallel<T>(all: T[], act: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all]
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await act(next)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

const PHASES: Partial<Record<Phase, string>> = {
  hashing: 'computing the digest',
  interrupted: 'interrupted: trying again',
}

function Progress({ transfers }: { transfers: Transfer[] }) {
  const all = useMemo(() => total(transfers.map((each) => each.file)), [transfers])
  const sent = transfers.reduce((sum, each) => sum + (each.phase.value === 'hashing' ? 0 : each.sent.value), 0)
  const speed = transfers.reduce((sum, each) => sum + (each.phase.value === 'sending' ? each.speed.value : 0), 0)
  const active = transfers.filter((each) => each.phase.value !== 'waiting')
  return (
    <div>
      <label>
        {size(sent)} of {size(all)}
        {speed > 0 && `, ${size(speed)}/s, ${seconds((all - sent) / speed)} left`}
        <progress value={sent} max={all || 1} />
      </label>
      <ul class="plain">
        {active.slice(-12).map((each) => (
          <li key={each.path} class="row">
            <span>{each.path}</span>
            <span class="muted">{PHASES[each.phase.value] ?? each.phase.value}</span>
            {each.phase.value === 'sending' && (
              <button type="button" class="small" onClick={() => each.pause()}>
                Pause
              </button>
            )}
            {each.phase.value === 'paused' && (
              <button type="button" class="small" onClick={() => each.resume()}>
                Go on
              </button>
            )}
          </li>
        ))}
      </ul>
      <p class="muted">
        Keep this page open. If it closes, choose the same files again at <a href={address(['upload'])}>Upload</a>: what
        has arrived is not sent again.
      </p>
    </div>
  )
}
