/** The state of a view is its address: `#/models/<key>/<version>?tag=vision`. */
import { signal } from '@preact/signals'

export interface Place {
  path: string[]
  query: URLSearchParams
}

function parsed(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s)
  return { path: path.split('/').filter(Boolean).map(unescaped), query: new URLSearchParams(query) }
}

function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment // a percent sign that escapes nothing
  }
}

export function address(path: string[], query?: URLSearchParams | Record<string, string>): string {
  const search = new URLSearchParams(query).toString()
  return `#/${path.map(encodeURIComponent).join('/')}${search && `?${search}`}`
}

export const place = signal(parsed(location.hash))

addEventListener('hashchange', () => {
  place.value = parsed(location.hash)
})

/** Go to another view, with an entry in the history of the browser. */
export function go(path: string[], query?: URLSearchParams | Record<string, string>): void {
  location.hash = address(path, query)
}

/** Change the parameters of this view. `replace` leaves no entry in the history, as for each key press. */
export function setQuery(change: (query: URLSearchParams) => void, replace = false): void {
  const query = new URLSearchParams(place.value.query)
  change(query)
  const next = address(place.value.path, query)
  if (!replace) {
    location.hash = next
    return
  }
  history.replaceState(null, '', next)
  place.value = parsed(next)
}
