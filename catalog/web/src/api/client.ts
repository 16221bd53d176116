/** Requests to the server. Their types are derived from its OpenAPI document, by `npm run types`. */
import createClient from 'openapi-fetch'
import { sentenceOf } from '../logic/refusal'
import { begin, end, milliseconds, type Session, session, signedInAgain } from '../session'
import { setClock } from './clock'
import type { components, paths } from './schema'

export type Kind = 'models' | 'datasets' | 'algorithms'
export const KINDS: Kind[] = ['models', 'datasets', 'algorithms']

export type Item = components['schemas']['SearchHit']
export type Version = components['schemas']['WholeVersion']
export type FileInfo = components['schemas']['FileInfo']
export type Pair = components['schemas']['Pair']
export type AliasMove = components['schemas']['AliasMove']
export type TrashEntry = components['schemas']['TrashEntry']
export type AccessToken = components['schemas']['AccessToken']

const PREFIX = document.querySelector<HTMLMetaElement>('meta[name=catalog-api]')?.content ?? 'v1'

/** The address of the server, without a slash at its end. A proxy may serve all of it below a path. */
export const SERVER = new URL('.', location.href.replace(/[?#].*$/s, '')).href.replace(/\/$/, '')

/** The address of a route of the native API, such as `/models`. */
export const route = (path: string): string => `${SERVER}/${PREFIX}${path}`

/** What is wrong when a request gets no answer. */
export const AWAY = 'The server cannot be reached. Check the connection, and try again.'

/** A refusal of the server, or a request that got no answer. Its message is a sentence for people. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

export const isConflict = (error: unknown): boolean => error instanceof Refusal && error.status === 412

const client = createClient<paths>({ baseUrl: SERVER, fetch: authorized })

/** The request below the prefix of this server, where that is not `/v1`. */
export const versioned = (request: Request): Request =>
  PREFIX === 'v1' ? request : new Request(request.url.replace('/v1/', `/${PREFIX}/`), request)

/** The first bytes of a file. Throws a Refusal. */
export async function firstBytes(url: string, count: number, signal: AbortSignal): Promise<ArrayBuffer> {
  const answer = await authorized(new Request(url, { headers: { Range: `bytes=0-${count - 1}` }, signal }))
  if (answer.status === 416) return new ArrayBuffer(0) // the file is empty
  if (!answer.ok) throw await refusal(answer)
  return answer.arrayBuffer()
}

/** `fetch` with the token, which is renewed in time, and asked for again when it has expired. */
export async function authorized(request: Request): Promise<Response> {
  const asked = versioned(request)
  const again = asked.clone()
  const answer = await sent(asked)
  if (answer.status !== 401 || !session.value) return answer
  await signedInAgain()
  return sent(again)
}

async function sent(request: Request): Promise<Response> {
  await renewedInTime()
  if (session.value) request.headers.set('Authorization', session.value.token)
  try {
    const answer = await fetch(request, { credentials: 'same-origin' })
    setClock(answer)
    return answer
  } catch (failure) {
    if (request.signal.aborted) throw failure
    throw new Refusal(0, AWAY)
  }
}

let renewal: Promise<void> | null = null

/** Renew the token when it is due. What does not send its requests by `authorized` waits for it itself. */
export async function renewedInTime(): Promise<void> {
  const now = session.value
  if (!now || Date.now() < now.renewAt) return
  renewal ??= renew(now).finally(() => {
    renewal = null
  })
  await renewal
}

async function renew(now: Session): Promise<void> {
  const answer = await fetch(route('/login'), { method: 'PUT', headers: { Authorization: now.token } }).catch(
    () => null,
  )
  if (answer?.ok) begin(asSession(await answer.json(), now.tenant))
}

interface SignedIn {
  token: string
  token_expiration_time: string
  user: { _id: string; username: string; role?: string }
}

function asSession(answer: SignedIn, tenant: string): Session {
  return {
    token: answer.token,
    tenant,
    username: answer.user.username,
    userId: answer.user._id,
    isAdmin: answer.user.role === 'admin',
    renewAt: Date.now() + 0.75 * milliseconds(answer.token_expiration_time),
  }
}

export async function signIn(tenant: string, username: string, password: string): Promise<void> {
  const body = JSON.stringify({ username, password, ...(tenant && { tenant }) })
  const headers = { 'Content-Type': 'application/json' }
  const answer = await fetch(route('/login'), { method: 'POST', headers, body }).catch(() => {
    throw new Refusal(0, AWAY)
  })
  if (!answer.ok) throw await refusal(answer)
  begin(asSession(await answer.json(), tenant))
}

export function signOut(): void {
  end()
}

/** The sentence of a refusal: what the server says, in its own words. */
export async function refusal(answer: Response): Promise<Refusal> {
  const body = await answer.json().catch(() => ({}))
  return asRefusal(answer.status, body)
}

/** What a proxy in front of the server refuses without a sentence. */
const UNEXPLAINED: Record<number, string> = {
  413: 'A proxy in front of the server takes no request of this size (413).',
  502: 'The server is away (502). Try again in a moment.',
  503: 'The server is away (503). Try again in a moment.',
  504: 'The server is away (504). Try again in a moment.',
}

function asRefusal(status: number, body: { message?: string; details?: string } | undefined): Refusal {
  if (status === 429) {
    return new Refusal(status, `There were too many attempts: ${body?.details ?? 'wait a moment, and try again'}.`)
  }
  if (status === 404 && body?.message === 'Resource Not found') {
    return new Refusal(status, `Not found: ${body.details ?? ''}. It was removed, or you may not see it.`)
  }
  if (!sentenceOf(body)) return new Refusal(status, UNEXPLAINED[status] ?? `The server answered ${status}.`)
  return new Refusal(status, sentenceOf(body))
}

interface Answered<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The content of an answer. Throws a Refusal. */
export async function content<T>(request: Promise<Answered<T>>): Promise<T> {
  return (await withTag(request)).data
}

/** The content of an answer and its ETag, which a change of it sends back. */
export async function withTag<T>(request: Promise<Answered<T>>): Promise<{ data: T; etag: string }> {
  const { data, error, response } = await request
  if (!response.ok || error !== undefined) throw asRefusal(response.status, error as { message?: string })
  return { data: data as T, etag: response.headers.get('etag') ?? '' }
}

/** A page of a list, which is walked by its cursor. */
export interface Page<T> {
  docs: T[]
  nextCursor: string | null
}

interface AnyPage<T> {
  docs: Partial<T>[]
  nextCursor?: string | null
}

/** A page of a list that is asked for without `select`: its elements lack nothing. */
export async function listed<T>(request: Promise<Answered<AnyPage<T>>>): Promise<Page<T>> {
  const { docs, nextCursor = null } = await content(request)
  return { docs: docs as T[], nextCursor }
}

export const api = client
