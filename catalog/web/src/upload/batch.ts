/** Small files that are sent together, hundreds in one request. */
import { signal } from '@preact/signals'
import { authorized, Refusal, refusal, route } from '../api/client'
import { plural } from '../components/format'
import { digests } from './digests'
import type { Found } from './dropped'
import type { Part, Phase, Target } from './part'
import { patiently } from './patience'

/** Files up to this size, in bytes, are sent together. */
const SMALL = 2 ** 18
const MOST_FILES = 500
const MOST_BYTES = 4 * 2 ** 20

/** The small files, in batches, and the others. */
export function batched(files: Found[]): { batches: Batch[]; large: Found[] } {
  const groups: Found[][] = []
  let room = 0
  for (const found of files.filter(({ file }) => file.size <= SMALL)) {
    const last = groups.at(-1)
    if (last && last.length < MOST_FILES && found.file.size <= room) last.push(found)
    else {
      groups.push([found])
      room = MOST_BYTES
    }
    room -= found.file.size
  }
  return { batches: groups.map((group) => new Batch(group)), large: files.filter(({ file }) => file.size > SMALL) }
}

let lastSpeed = 0

export class Batch implements Part {
  readonly label: string
  readonly files: number
  readonly size: number
  readonly phase = signal<Phase>('waiting')
  readonly sent = signal(0)
  readonly speed = signal(0)
  #running: AbortController | null = null
  #resume: (() => void) | null = null

  constructor(readonly found: Found[]) {
    const path = found[0]?.path ?? ''
    this.files = found.length
    this.label = found.length > 1 ? `${path} and ${plural(found.length - 1, 'more file')}` : path
    this.size = found.reduce((sum, { file }) => sum + file.size, 0)
  }

  async sendUnlessThere(to: Target, there: Map<string, string>): Promise<void> {
    this.phase.value = 'hashing'
    const computed = await digests(this.found.map(({ file }) => file))
    const all = this.found.map((each, index) => ({ ...each, digest: computed[index] ?? '' }))
    const missing = all.filter(({ path, digest }) => there.get(path) !== digest)
    this.phase.value = 'sending'
    this.speed.value = lastSpeed
    const since = Date.now()
    while (missing.length && !(await this.#wasSent(to, missing))) {
      await new Promise<void>((resolve) => {
        this.#resume = resolve
      })
    }
    lastSpeed = (1000 * this.size) / Math.max(1, Date.now() - since)
    this.sent.value = this.size
    this.phase.value = 'done'
  }

  pause(): void {
    this.phase.value = 'paused'
    this.#running?.abort()
  }

  resume(): void {
    this.phase.value = 'sending'
    this.#resume?.()
  }

  /** False when it was paused meanwhile. What has arrived by then may arrive again. */
  async #wasSent(to: Target, files: Digested[]): Promise<boolean> {
    const abort = new AbortController()
    this.#running = abort
    const onWait = (isWaiting: boolean) => {
      if (!abort.signal.aborted) this.phase.value = isWaiting ? 'interrupted' : 'sending'
    }
    try {
      await patiently(() => post(to, files, abort.signal), onWait)
      return true
    } catch (failure) {
      if (abort.signal.aborted) return false
      throw failure
    }
  }
}

interface Digested extends Found {
  digest: string
}

/** Throws a Refusal, also when one of the files is refused. */
async function post(to: Target, files: Digested[], signal: AbortSignal): Promise<void> {
  const boundary = `catalog-${crypto.getRandomValues(new Uint32Array(4)).join('-')}`
  const answer = await authorized(
    new Request(route(`/${to.kind}/${to.item}/versions/${encodeURIComponent(to.version ?? '')}/files`), {
      method: 'POST',
      headers: { 'Content-Type': `multipart/form-data; boundary=${boundary}` },
      body: form(files, boundary),
      signal,
    }),
  )
  if (answer.status === 413 && files.length > 1) {
    // A proxy takes no larger ones.
    const middle = files.length >> 1
    await post(to, files.slice(0, middle), signal)
    return post(to, files.slice(middle), signal)
  }
  if (!answer.ok) throw await refusal(answer)
  const { errors } = (await answer.json()) as { errors: { path: string; status: number; message: string }[] }
  const [refused] = errors
  if (refused) throw new Refusal(refused.status, `${refused.path}: ${refused.message}`)
}

/** A form whose parts are files, with the path of each. A form of the browser itself has other names for some of them. */
function form(files: Digested[], boundary: string): Blob {
  const parts = files.flatMap(({ file, path, digest }) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename*=UTF-8''${encoded(path)}\r\n` +
      `Repr-Digest: sha-256=:${base64(digest)}:\r\n\r\n`,
    file,
    '\r\n',
  ])
  return new Blob([...parts, `--${boundary}--\r\n`])
}

const encoded = (path: string): string =>
  encodeURIComponent(path).replace(/['()*!]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)

const base64 = (hex: string): string =>
  btoa(String.fromCharCode(...(hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16))))
