import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { Item, Kind } from '../../api/client'
import { plural } from '../../components/format'
import { Chip, When } from '../../components/parts'
import { Username } from '../../components/username'
import { address } from '../../router'

/** A page of results. It is drawn once, however many pages follow. */
export function Results({ items, kind }: { items: Item[]; kind: Kind }) {
  return useMemo(
    () => (
      <>
        {items.map((item) => (
          <Result key={item._id} item={item} kind={item.kind ?? kind} />
        ))}
      </>
    ),
    [items],
  )
}

function Result({ item, kind }: { item: Item; kind: Kind }) {
  const newest = item.versions.at(-1) // they are sorted by age
  return (
    <li class={`result ${item.description ? '' : 'short'}`}>
      <div class="result-head">
        <a href={address([kind, item._id])}>{item.name}</a>
        {item.visibility === 'private' && <Chip>private</Chip>}
        {item.archived && <Chip>archived</Chip>}
        <span class="muted owner">
          {kind.slice(0, -1)} of <Username id={item.owner} />
        </span>
      </div>
      {item.description && <p class="clamp">{item.description}</p>}
      <p class="chips">
        {item.tags.slice(0, 8).map((tag) => (
          <a key={tag} class="chip" href={address([], { ...(kind !== 'models' && { kind }), tag })}>
            {tag}
          </a>
        ))}
        {item.aliases.map((alias) => (
          <Chip key={alias.name} tone="alias">
            @{alias.name} → {alias.version}
          </Chip>
        ))}
        <span class="muted">
          {newest && newest.ordinal !== String(item.versionsTotal) && `newest ${newest.ordinal} of `}
          {plural(item.versionsTotal, 'version')} · <When moment={item.lastmod} />
        </span>
      </p>
    </li>
  )
}

/** Asks for the next results when it comes into view. It is a button, too, for keyboards. */
export function More({ onMore, busy }: { onMore: () => void; busy: boolean }) {
  const element = useRef<HTMLButtonElement>(null)
  const latest = useRef(onMore)
  latest.current = onMore
  useEffect(() => {
    const watch = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && latest.current(), {
      rootMargin: '400px',
    })
    if (element.current) watch.observe(element.current)
    return () => watch.disconnect()
  }, [])
  return (
    <button ref={element} type="button" class="more" disabled={busy} onClick={onMore}>
      Show more
    </button>
  )
}
