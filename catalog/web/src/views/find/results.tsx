import { useEffect, useRef } from 'preact/hooks'
import type { Item, Kind } from '../../api/client'
import { plural } from '../../components/format'
import { LongList } from '../../components/long-list'
import { Chip, When } from '../../components/parts'
import { Username } from '../../components/username'
import { address } from '../../router'

interface Props {
  items: Item[]
  /** Counts the searches. */
  search: number
  kind: Kind
  total: number | undefined
}

/** Whether tags and aliases have a line of their own, on a narrow screen. */
const hasChips = (item: Item): boolean => item.tags.length + item.aliases.length > 0

/** A row is as tall as its lines, of which each is one line: nothing moves while rows are loaded and scrolled. */
const heightOf = (item: Item): string =>
  `--result${item.description ? '-described' : ''}${hasChips(item) ? '-tagged' : ''}`

export function Results({ items, search, kind, total }: Props) {
  return (
    <LongList
      class="results"
      label="Results"
      rows={items}
      list={search}
      keyOf={(item) => item._id}
      heightOf={heightOf}
      draw={(item) => <Result item={item} kind={item.kind ?? kind} />}
      total={total}
    />
  )
}

const SHOWN_TAGS = 8

function Result({ item, kind }: { item: Item; kind: Kind }) {
  const newest = item.versions.at(-1) // they are sorted by age
  return (
    <div class="result" style={{ height: `var(${heightOf(item)})` }}>
      <div class="result-head">
        <a href={address([kind, item._id])} title={item.name}>
          {item.name}
        </a>
        {item.kind && item.kind !== 'models' && <Chip>{kind.slice(0, -1)}</Chip>}
        {item.visibility === 'private' && <Chip>private</Chip>}
        {item.archived && <Chip tone="warn">archived</Chip>}
        {/* It comes later than the rest, and so stands at the end of a line: of this one, or on a narrow screen below. */}
        <span class="muted owner wide-only">
          <Username id={item.owner} />
        </span>
      </div>
      {item.description && (
        <div class="clamp" title={item.description}>
          {item.description}
        </div>
      )}
      <div class="result-foot">
        <span class="muted said">
          {newest && newest.ordinal !== String(item.versionsTotal) && `newest ${newest.ordinal} of `}
          {item.versionsTotal ? plural(item.versionsTotal, 'version') : 'no version yet'} ·{' '}
          <When moment={item.lastmod} />
          <span class="narrow-only">
            {' '}
            · <Username id={item.owner} />
          </span>
        </span>
        <span class="result-chips">
          {item.aliases.map((alias) => (
            <Chip key={alias.name} tone="alias">
              @{alias.name} → {alias.version}
            </Chip>
          ))}
          {item.tags.slice(0, SHOWN_TAGS).map((tag) => (
            <a key={tag} class="chip" href={address([], { ...(kind !== 'models' && { kind }), tag })}>
              <span class="one-line">{tag}</span>
            </a>
          ))}
        </span>
      </div>
    </div>
  )
}

/** Asks for more results as long as the end of the list is near the screen. It is a button, too, for keyboards. */
export function More({ onMore, busy }: { onMore: () => void; busy: boolean }) {
  const element = useRef<HTMLButtonElement>(null)
  const latest = useRef(onMore)
  latest.current = onMore
  useEffect(() => {
    if (busy) return
    // A new watch after each answer: it may have brought nothing, and then the end has not moved.
    const watch = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && latest.current(), {
      rootMargin: '1500px',
    })
    if (element.current) watch.observe(element.current)
    return () => watch.disconnect()
  }, [busy])
  return (
    <button ref={element} type="button" class="more" aria-disabled={busy} onClick={() => busy || onMore()}>
      {busy ? 'Searching…' : 'Show more'}
    </button>
  )
}

let lastKey = ''

/**
 * A new button stands below new rows: it has not moved, and what does not move is not read as a shift. One that has the
 * focus stays.
 */
export function moreKey(search: number, count: number): string {
  if (!document.activeElement?.classList.contains('more')) lastKey = `${search} ${count}`
  return lastKey
}
