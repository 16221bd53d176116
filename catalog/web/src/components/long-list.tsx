import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { offsetsOf, type Range, rangeOf } from '../logic/window'

interface Props<T> {
  class: string
  label: string
  rows: T[]
  /** Which list this is: the rows of another one are new, also those that it has in common, and so none has moved. */
  list: number
  keyOf: (row: T) => string
  /** The custom property of the style sheet that holds the height of a row, in rem. */
  heightOf: (row: T) => string
  draw: (row: T) => ComponentChildren
  /** How many rows there will be, if that is known. */
  total?: number | undefined
}

const SPARE = 8 // rows beyond the edges of the screen
const STEP = 4

/** A list of which only the rows near the screen are in the document, however many there are. */
export function LongList<T>({ class: name, label, rows, list, keyOf, heightOf, draw, total }: Props<T>) {
  const element = useRef<HTMLUListElement>(null)
  const [range, setRange] = useState<Range>({ from: 0, to: 2 * SPARE })
  const [focused, setFocused] = useState<T | null>(null)
  const names = useNames(list, focused && keyOf(focused))
  const [round, setRound] = useState(0) // of the sizes of the screen and its letters
  const [heights, setHeights] = useState<Map<string, number> | null>(null)

  useLayoutEffect(() => {
    if (!element.current) return
    const style = getComputedStyle(element.current)
    const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize)
    const properties = new Set(rows.map(heightOf))
    const next = new Map([...properties].map((each) => [each, rem * Number.parseFloat(style.getPropertyValue(each))]))
    setHeights((before) => (isSame(before, next) ? before : next))
  }, [rows, round])

  const offsets = useMemo(
    () => offsetsOf(Float64Array.from(rows, (row) => heights?.get(heightOf(row)) ?? 0)),
    [rows, heights],
  )
  useLayoutEffect(() => {
    const look = () => {
      const top = -(element.current?.getBoundingClientRect().top ?? 0)
      const next = rangeOf(offsets, top, top + innerHeight, SPARE, STEP)
      setRange((before) => (before.from === next.from && before.to === next.to ? before : next))
    }
    const resized = () => setRound((before) => before + 1)
    look()
    addEventListener('scroll', look, { passive: true })
    addEventListener('resize', resized)
    return () => {
      removeEventListener('scroll', look)
      removeEventListener('resize', resized)
    }
  }, [offsets, round])

  const shown = Array.from(
    { length: Math.max(0, Math.min(range.to, rows.length) - range.from) },
    (_, at) => range.from + at,
  )
  // What has the focus stays, also when it is scrolled out of sight.
  const at = focused ? rows.findIndex((row) => keyOf(row) === keyOf(focused)) : -1
  if (at >= 0 && !shown.includes(at)) shown.push(at)
  return (
    <ul
      ref={element}
      class={name}
      aria-label={label}
      style={{ height: `${offsets.at(-1)}px` }}
      onFocusIn={(event) => setFocused(rows[indexOf(event.target)] ?? null)}
      onFocusOut={() => setFocused(null)}
    >
      {heights &&
        shown.map((index) => {
          const row = rows[index] as T
          return (
            <Row
              key={names(keyOf(row))}
              row={row}
              index={index}
              top={offsets[index] ?? 0}
              size={total ?? -1}
              draw={draw}
            />
          )
        })}
    </ul>
  )
}

interface RowProps<T> {
  row: T
  index: number
  top: number
  size: number
  draw: (row: T) => ComponentChildren
}

function Row<T>({ row, index, top, size, draw }: RowProps<T>) {
  const drawn = useMemo(() => draw(row), [row])
  return useMemo(
    () => (
      <li data-index={index} style={{ top: `${top}px` }} aria-posinset={index + 1} aria-setsize={size}>
        {drawn}
      </li>
    ),
    [drawn, index, top, size],
  )
}

/** The names of rows in the document, by their keys: each list has its own. A row that has the focus keeps its name. */
function useNames(list: number, focused: string | null): (key: string) => string {
  const now = useRef({ list, kept: new Map<string, string>() })
  const name = (key: string) => now.current.kept.get(key) ?? `${now.current.list} ${key}`
  if (now.current.list !== list) {
    now.current = { list, kept: new Map(focused === null ? [] : [[focused, name(focused)]]) }
  }
  return name
}

function indexOf(target: EventTarget | null): number {
  return Number((target as HTMLElement | null)?.closest<HTMLElement>('li[data-index]')?.dataset.index ?? -1)
}

const isSame = (one: Map<string, number> | null, other: Map<string, number>): boolean =>
  one !== null && one.size === other.size && [...other].every(([key, height]) => one.get(key) === height)
