import { useEffect, useRef } from 'preact/hooks'
import type { Item, Kind } from '../../api/client'
import { age, plural } from '../../components/format'
import { Chip } from '../../components/parts'
import { Username } from '../../components/username'
import { address } from '../../router'

export function Result({ item, kind }: { item: Item; kind: Kind }) {
  const newest = item.versions.at(-1) // they are sorted by age
  return (
    <li class="result">
      <div class="result-head">
        <a href={address([kind, item._id])}>{item.name}</a>
        <span class="muted">
          {kind.slice(0, -1)} of <Username id={item.owner} />
        </span>
        {item.visibility === 'private' && <Chip>private</Chip>}
        {item.archived && <Chip>archived</Chip>}
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
          {newest ? `version ${newest.ordinal}, ` : ''}
          {plural(item.versionsTotal, 'version')} · {age(item.lastmod)}
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
    <button ref={element} type="button" disabled={busy} onClick={onMore}>
      Show more
    </button>
  )
}
