import type { Kind } from '../api/client'
import { address } from '../router'

interface Props {
  kind: Kind
  item: string
  /** Empty while it is not known. */
  name: string
}

/** The way back from a view of an item: the list of its kind, and the item. */
export function Crumbs({ kind, item, name }: Props) {
  return (
    <p class="muted">
      <a href={address([], kind === 'models' ? {} : { kind })}>{kind}</a>
      {name && (
        <>
          {' / '}
          <a href={address([kind, item])}>{name}</a>
        </>
      )}
    </p>
  )
}
