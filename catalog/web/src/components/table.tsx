import type { ComponentChildren } from 'preact'
import type { Paged } from './paged'
import { Scroll } from './parts'

/** The heading of a column of buttons. It is read out, and not seen. */
export const ACTIONS = 'Actions'

/** Columns of numbers, whose heads are above them on the right. */
const NUMBERS = new Set(['Size', 'Files', 'Leftovers', 'Expired uploads', 'Damaged files', 'Time', 'Used by'])

interface Props {
  label: string
  head: string[]
  /** Whether it scrolls up and down, too. */
  tall?: boolean
  children: ComponentChildren
}

/** A table. On a narrow screen, the rows of one with buttons are cards, so that the buttons are in sight. */
export function Table({ label, head, tall, children }: Props) {
  return (
    <Scroll label={label} {...(tall && { tall })}>
      <table class={head.includes(ACTIONS) ? 'cards' : ''}>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} class={NUMBERS.has(name) ? 'number' : ''}>
                {name === ACTIONS ? <span class="hidden">{name}</span> : name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </Scroll>
  )
}

/** The button below a list that has more. */
export function ShowMore({ list }: { list: Pick<Paged<unknown>, 'hasMore' | 'loading' | 'more'> }) {
  if (!list.hasMore) return null
  return (
    <button type="button" aria-disabled={list.loading} onClick={list.more}>
      {list.loading ? 'Loading…' : 'Show more'}
    </button>
  )
}

/** What a list shows in its place: that it loads, or that it is empty. */
export function ListState({ list, empty }: { list: Paged<unknown>; empty: string }) {
  if (list.docs.length || list.error) return null
  return (
    <p class="muted" role="status">
      {list.loading ? 'Loading…' : empty}
    </p>
  )
}
