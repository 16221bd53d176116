import { useEffect } from 'preact/hooks'

/** The title of the tab, and of the entry in the history of the browser. */
export function useTitle(...parts: (string | undefined)[]): void {
  const title = [...parts.filter(Boolean), 'Catalog'].join(' · ')
  useEffect(() => {
    document.title = title
  }, [title])
}
