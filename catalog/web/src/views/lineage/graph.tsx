import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useMedia } from '../../components/hooks'
import { Problem } from '../../components/parts'
import { directionOf, type Lineage, type LineageNode, neighbours, visible } from '../../logic/lineage'
import { place, setQuery } from '../../router'
import type { Layout } from './layout'
import { NodeText, nodeAddress } from './node'

const ZOOMS = [0.4, 0.6, 0.8, 0.9, 1, 1.25, 1.6]
const NORMAL = ZOOMS.indexOf(1)
const READABLE = ZOOMS.indexOf(0.8)

/** The graph from left to right: inputs, the version, what was made from it. */
export function Graph({ found }: { found: Lineage }) {
  const closed = useMemo(() => new Set(place.value.query.getAll('closed')), [place.value])
  const shown = useMemo(() => visible(found, closed), [found, closed])
  const [layout, setLayout] = useState<Layout | null>(null)
  const [failed, setFailed] = useState(false)
  const [zoom, setZoom] = useState(NORMAL)
  const area = useRef<HTMLElement>(null)
  useEffect(() => {
    let gone = false
    import('./layout').then(
      ({ layouted }) => gone || setLayout(layouted(shown)),
      () => setFailed(true),
    )
    return () => {
      gone = true
    }
  }, [shown])
  const scale = ZOOMS[zoom] ?? 1
  const step = (by: number) => setZoom((now) => Math.min(ZOOMS.length - 1, Math.max(0, now + by)))
  const fitToArea = (smallest = 0, largest = ZOOMS.length - 1) => {
    const room = area.current
    if (!room || !layout) return
    const most = Math.min(room.clientWidth / layout.width, (0.7 * innerHeight) / layout.height)
    const fitting = ZOOMS.findLastIndex((each) => each <= most)
    setZoom(Math.min(largest, Math.max(smallest, fitting)))
  }
  const isWide = useMedia('(min-width: 40rem)')
  useLayoutEffect(() => {
    if (isWide) fitToArea(READABLE, NORMAL)
  }, [layout === null])
  // Where all of it would be too small to be read, the version itself is in sight.
  useEffect(() => {
    const root = area.current?.querySelector('.graph-node.root')
    if (area.current && root) centre(area.current, root)
  }, [layout === null])
  const focus = (id: string | undefined) =>
    area.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id ?? '')}"]`)?.focus()
  const onKeyDown = (event: KeyboardEvent) => {
    const id = (event.target as HTMLElement).closest<HTMLElement>('[data-node]')?.dataset.node
    if (event.key === '+' || event.key === '-') step(event.key === '+' ? 1 : -1)
    else if (id && event.key === 'ArrowLeft') focus(neighbours(shown as Lineage, id, 'up')[0])
    else if (id && event.key === 'ArrowRight') focus(neighbours(shown as Lineage, id, 'down')[0])
    else if (id && layout && (event.key === 'ArrowUp' || event.key === 'ArrowDown'))
      focus(beside(layout, id, event.key === 'ArrowUp' ? -1 : 1))
    else return
    event.preventDefault()
  }
  if (failed) return <Problem>The graph cannot be loaded. The list shows the same.</Problem>
  return (
    <>
      <div class="actions">
        <button type="button" class="small" aria-label="Zoom out" onClick={() => step(-1)}>
          −
        </button>
        <button type="button" class="small" aria-label="Zoom in" onClick={() => step(1)}>
          +
        </button>
        <button type="button" class="small" onClick={() => fitToArea()}>
          Fit
        </button>
        <span class="muted">{Math.round(scale * 100)} %. The arrow keys follow the lines.</span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section ref={area} class="graph" aria-label="Graph" tabIndex={0} onKeyDown={onKeyDown}>
        {layout && (
          <div style={{ width: `${layout.width * scale}px`, height: `${layout.height * scale}px` }}>
            <div class="graph-plane" style={{ transform: `scale(${scale})`, width: `${layout.width}px` }}>
              <svg width={layout.width} height={layout.height} aria-hidden="true">
                {layout.lines.map((line) => (
                  <path key={line.key} d={line.path} />
                ))}
              </svg>
              {shown.nodes.map((node) => {
                const at = layout.places.get(node.id)
                return at && <Box key={node.id} node={node} at={at} found={found} isClosed={closed.has(node.id)} />
              })}
            </div>
          </div>
        )}
      </section>
    </>
  )
}

function centre(area: Element, element: Element): void {
  const [outer, inner] = [area.getBoundingClientRect(), element.getBoundingClientRect()]
  area.scrollLeft += inner.left - outer.left + (inner.width - outer.width) / 2
  area.scrollTop += inner.top - outer.top + (inner.height - outer.height) / 2
}

/** The node above or below in the same column. */
function beside(layout: Layout, id: string, step: number): string | undefined {
  const at = layout.places.get(id)
  const column = [...layout.places]
    .filter(([, place]) => place.x === at?.x)
    .sort(([, one], [, other]) => one.y - other.y)
  return column[column.findIndex(([each]) => each === id) + step]?.[0]
}

interface BoxProps {
  node: LineageNode
  at: { x: number; y: number }
  found: Lineage
  isClosed: boolean
}

function Box({ node, at, found, isClosed }: BoxProps) {
  const isRoot = node.id === found.root
  const behind = isRoot ? 0 : neighbours(found, node.id, directionOf(node)).length
  const toggle = () =>
    setQuery((query) => (isClosed ? query.delete('closed', node.id) : query.append('closed', node.id)), true)
  const to = nodeAddress(node)
  const name = node.name ? `${node.name} ${node.ordinal}` : 'a version'
  return (
    <div
      class={`graph-node ${isRoot ? 'root' : ''} ${node.kind ?? 'unknown'} ${directionOf(node)}`}
      style={{ left: `${at.x}px`, top: `${at.y}px` }}
    >
      {to ? (
        <a href={to} data-node={node.id} aria-current={isRoot ? 'true' : undefined}>
          <NodeText node={node} />
        </a>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys go to it
        <span data-node={node.id} tabIndex={0}>
          <NodeText node={node} />
        </span>
      )}
      {behind > 0 && (
        <button
          type="button"
          class="small"
          aria-expanded={!isClosed}
          aria-label={`${isClosed ? 'Show' : 'Hide'} what is behind ${name}`}
          onClick={toggle}
        >
          {isClosed ? `+${behind}` : '−'}
        </button>
      )}
    </div>
  )
}
