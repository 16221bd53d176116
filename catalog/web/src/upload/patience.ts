/** When an upload tries again, and for how long. */
import { Refusal } from '../api/client'

/** The statuses of a server that is away or busy, or of none at all: it is waited for, however long it takes. */
const AWAY = new Set([0, 502, 503, 504])
/** A part that arrived twice, a lease of another server, too many at once, an error: it may succeed when it is tried again. */
const ONCE_MORE = new Set([409, 423, 429, 500])
const ATTEMPTS = 6

/** Milliseconds between two attempts. The list is as long as a server may be away: more than a day. */
export const DELAYS = [0, 1000, 2000, 5000, ...Array<number>(20_000).fill(5000)]

/** Whether what got this status is sent again, after so many attempts. */
export const isWorthRetry = (status: number, attempts: number): boolean =>
  AWAY.has(status) || (ONCE_MORE.has(status) && attempts < ATTEMPTS)

/** Do it, and do it again while the server is away. Only for what may be done twice. */
export async function patiently<T>(act: () => Promise<T>, onWait: (isWaiting: boolean) => void): Promise<T> {
  for (let attempts = 0; ; attempts += 1) {
    try {
      const done = await act()
      if (attempts) onWait(false)
      return done
    } catch (failure) {
      if (!(failure instanceof Refusal) || !AWAY.has(failure.status)) throw failure
      onWait(true)
      await delay(DELAYS[attempts + 1])
    }
  }
}

/** So many milliseconds, or until the network is back. */
function delay(milliseconds: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      removeEventListener('online', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    addEventListener('online', end)
  })
}
