/** One file on its way to the server: hashed, then sent by tus, which goes on where it was interrupted. */
import { signal } from '@preact/signals'
import type { DetailedError, Upload as TusUpload } from 'tus-js-client'
import { renewedInTime, route } from '../api/client'
import { NOT_LOADED } from '../components/lazy'
import { sentenceOf } from '../logic/refusal'
import { session, signedInAgain } from '../session'
import { digests } from './digests'
import type { Part, Phase, Target } from './part'
import { DELAYS, isWorthRetry } from './patience'

const CHUNK = 16 * 2 ** 20 // bytes a request: what is lost at most when the network breaks
const SMALLEST_CHUNK = 2 ** 18
/** The status of a proxy that takes no larger request. */
const TOO_LARGE = 413

const INTERRUPTED = 'The upload was interrupted. Choose the same file again to continue where it stopped.'

/** It is a third of the scripts of the page, and is fetched when files have been chosen. */
export const tusClient = () =>
  import('tus-js-client').catch(() => {
    throw new Error(NOT_LOADED)
  })

let chunk = CHUNK // smaller, once a proxy has refused a chunk

export class Transfer implements Part {
  readonly files = 1
  readonly phase = signal<Phase>('waiting')
  readonly sent = signal(0)
  readonly speed = signal(0) // bytes a second
  digest = ''
  #upload: TusUpload | null = null
  #since = { time: 0, bytes: 0 }

  constructor(
    readonly file: File,
    readonly path: string,
  ) {}

  get label(): string {
    return this.path
  }

  get size(): number {
    return this.file.size
  }

  async hash(): Promise<string> {
    this.phase.value = 'hashing'
    const [digest = ''] = await digests([this.file], (done) => {
      this.sent.value = done
    })
    this.digest = digest
    this.sent.value = 0
    return digest
  }

  async sendUnlessThere(to: Target, there: Map<string, string>): Promise<void> {
    if (there.get(this.path) === (await this.hash())) this.skip()
    else await this.send(to)
  }

  /** Send the file. The result is the ordinal of the version, or nothing for a file of a draft. */
  async send(to: Target): Promise<string> {
    const { Upload } = await tusClient()
    this.phase.value = 'sending'
    this.#since = { time: Date.now(), bytes: 0 }
    const metadata: Record<string, string> = {
      kind: to.kind,
      item: to.item,
      filename: this.file.name,
      filetype: this.file.type || 'application/octet-stream',
      sha256: this.digest,
      ...(to.description && { description: to.description }),
      ...(to.version && { version: to.version, path: this.path }),
    }
    const ended = new AbortController()
    addEventListener('online', () => this.#goOn(), { signal: ended.signal })
    const sending = new Promise<string>((resolve, reject) => {
      let ordinal = ''
      const upload = new Upload(this.file, {
        endpoint: route('/uploads'),
        chunkSize: chunk,
        retryDelays: DELAYS,
        metadata,
        removeFingerprintOnSuccess: true,
        fingerprint: async () =>
          `catalog ${session.value?.tenant} ${to.kind} ${to.item} ${to.version ?? ''} ${this.digest}`,
        onBeforeRequest: async (request) => {
          await renewedInTime()
          request.setHeader('Authorization', session.value?.token ?? '')
        },
        onAfterResponse: async (_, response) => {
          ordinal = response.getHeader('Catalog-Ordinal') ?? ordinal
          if (response.getStatus() !== 401) return
          await signedInAgain()
          // Without an answer it is asked again: after a 4xx the tus client would begin a new upload.
          throw new Error('The session had expired.')
        },
        onShouldRetry: (failure, attempts) => {
          this.phase.value = 'interrupted'
          const status = failure.originalResponse?.getStatus() ?? 0
          // The server itself has a sentence for what is too large.
          const size = upload.options.chunkSize ?? chunk
          if (status === TOO_LARGE && !said(failure) && size > SMALLEST_CHUNK) {
            chunk = Math.min(chunk, size / 4)
            upload.options.chunkSize = chunk
            return true
          }
          return isWorthRetry(status, attempts)
        },
        onProgress: (bytes) => this.#progress(bytes),
        onSuccess: () => {
          this.phase.value = 'done'
          resolve(ordinal)
        },
        onError: (failure) => {
          this.phase.value = 'failed'
          reject(new Error(said(failure) || INTERRUPTED))
        },
      })
      this.#upload = upload
      upload.findPreviousUploads().then((previous) => {
        const latest = previous[0]
        if (latest) upload.resumeFromPreviousUpload(latest)
        upload.start()
      }, reject)
    })
    return sending.finally(() => ended.abort())
  }

  /** The network is back: the next attempt does not wait. */
  #goOn(): void {
    if (this.phase.value !== 'interrupted') return
    this.pause()
    this.resume()
  }

  /** The server has these bytes. */
  skip(): void {
    this.sent.value = this.file.size
    this.phase.value = 'done'
  }

  pause(): void {
    this.#upload?.abort()
    this.phase.value = 'paused'
  }

  resume(): void {
    this.phase.value = 'sending'
    this.#since = { time: Date.now(), bytes: this.sent.value }
    this.#upload?.start()
  }

  #progress(bytes: number): void {
    this.sent.value = bytes
    if (this.phase.value === 'interrupted') {
      this.phase.value = 'sending'
      this.#since = { time: Date.now(), bytes }
    }
    const passed = (Date.now() - this.#since.time) / 1000
    if (passed > 0.5) this.speed.value = (bytes - this.#since.bytes) / passed
  }
}

/** The sentence of the server in an error of the tus client, if there is one. */
function said(failure: Error | DetailedError): string {
  try {
    return sentenceOf(JSON.parse(('originalResponse' in failure && failure.originalResponse?.getBody()) || ''))
  } catch {
    return ''
  }
}
