/**
 * Who is signed in. The token is in memory and in the session storage of this tab, and nowhere else. A new tab asks
 * the others for it.
 */
import { signal } from '@preact/signals'

export interface Session {
  token: string
  tenant: string
  username: string
  userId: string
  isAdmin: boolean
  /** When to renew the token, in milliseconds since the epoch. */
  renewAt: number
}

const STORED = 'catalog-session'

export const session = signal<Session | null>(restored())

/** Set while a request waits for a new sign-in, because its token has expired. */
export const expired = signal(false)

let waiting: (() => void)[] = []

/** Whether the user has left in this tab: then it takes no session of another one. */
let signedOut = false

function restored(): Session | null {
  try {
    return JSON.parse(sessionStorage.getItem(STORED) ?? 'null')
  } catch {
    return null
  }
}

export function begin(next: Session): void {
  sessionStorage.setItem(STORED, JSON.stringify(next))
  session.value = next
  expired.value = false
  signedOut = false
  for (const resume of waiting) resume()
  waiting = []
}

/** Sign out, in all tabs of this user. */
export function end(): void {
  const { tenant, userId } = session.value ?? {}
  tabs.postMessage({ ended: { tenant, userId } })
  forget()
}

function forget(): void {
  signedOut = true
  sessionStorage.removeItem(STORED)
  session.value = null
  expired.value = false
  waiting = []
}

/** Ask for the password again, and wait until it is given. What is typed elsewhere stays. */
export function signedInAgain(): Promise<void> {
  expired.value = true
  return new Promise((resolve) => waiting.push(resolve))
}

/** Milliseconds of a duration such as `30m` or `8h`. */
export function milliseconds(duration: string): number {
  const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  const [, count, unit = 's'] = /^(\d+)([smhd]?)$/.exec(duration) ?? []
  return Number(count ?? 1800) * (units[unit || 's'] ?? 1000)
}

const tabs = new BroadcastChannel('catalog-session')

interface Message {
  /** From a new tab. */
  wanted?: true
  session?: Session
  ended?: Partial<Session>
}

tabs.addEventListener('message', ({ data }: MessageEvent<Message>) => {
  const now = session.value
  if (data.wanted && now && !expired.value) tabs.postMessage({ session: now })
  if (data.session && !now && !signedOut) begin(data.session)
  if (data.ended && now && data.ended.userId === now.userId && data.ended.tenant === now.tenant) forget()
})

if (!session.value) tabs.postMessage({ wanted: true })
