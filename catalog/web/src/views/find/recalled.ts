/** Lists as they were left: who goes back finds the same rows at the same place. */

interface Left {
  key: string
  state: unknown
  scroll: number
}

const MOST = 8
const left = new Map<number, Left>()
let last = 0

/** The number of the entry of the history that is shown now. */
function entry(): number {
  const { list } = (history.state ?? {}) as { list?: number }
  if (list !== undefined) return list
  last = Math.max(last + 1, Date.now()) // after a reload, no entry has the number of an earlier one
  history.replaceState({ ...history.state, list: last }, '')
  return last
}

/** What was kept of this entry of the history, if the user comes back to it. It is scrolled to where it was. */
export function recalled<T>(key: string): T | null {
  const found = left.get(entry())
  if (found?.key !== key || !found.state) return null
  // Twice: once the rows have been laid out, and once they have been measured.
  requestAnimationFrame(() => {
    scrollTo(0, found.scroll)
    requestAnimationFrame(() => scrollTo(0, found.scroll))
  })
  return found.state as T
}

/** Keep what is shown when this entry of the history is left. Nothing is kept where `state` has nothing. */
export function keep(key: string, state: () => unknown): () => void {
  const at = entry()
  let scroll = scrollY
  const watch = () => {
    if (history.state?.list === at) scroll = scrollY
  }
  addEventListener('scroll', watch, { passive: true })
  return () => {
    removeEventListener('scroll', watch)
    left.delete(at)
    left.set(at, { key, state: state(), scroll })
    const [oldest] = left.keys()
    if (left.size > MOST && oldest !== undefined) left.delete(oldest)
  }
}
