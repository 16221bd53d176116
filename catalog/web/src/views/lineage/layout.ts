/** Where the nodes and edges of a graph are drawn, from left to right. Fetched with dagre when it is needed. */
import { Graph, layout } from '@dagrejs/dagre'
import type { Lineage } from '../../logic/lineage'

const WIDTH = 200
const HEIGHT = 64

export interface Layout {
  width: number
  height: number
  places: Map<string, { x: number; y: number }>
  lines: { key: string; path: string }[]
}

export function layouted({ nodes, edges }: Pick<Lineage, 'nodes' | 'edges'>): Layout {
  const graph = new Graph()
  graph.setGraph({ rankdir: 'LR', nodesep: 20, ranksep: 64, marginx: 8, marginy: 8 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const node of nodes) graph.setNode(node.id, { width: WIDTH, height: HEIGHT })
  for (const edge of edges) graph.setEdge(edge.source, edge.target)
  layout(graph)
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return {
    width,
    height,
    places: new Map(
      nodes.map((node) => {
        const { x, y } = graph.node(node.id) as { x: number; y: number }
        return [node.id, { x: x - WIDTH / 2, y: y - HEIGHT / 2 }]
      }),
    ),
    lines: edges.map((edge) => {
      const { points } = graph.edge(edge.source, edge.target) as { points: Point[] }
      const [from, to] = [graph.node(edge.source), graph.node(edge.target)] as [Point, Point]
      // Lines leave in the middle of the right side, and arrive in the middle of the left one.
      const ends = [{ x: from.x + WIDTH / 2, y: from.y }, ...points.slice(1, -1), { x: to.x - WIDTH / 2, y: to.y }]
      return { key: `${edge.source} ${edge.target}`, path: curve(ends) }
    }),
  }
}

interface Point {
  x: number
  y: number
}

/** A line through the points, which leaves and arrives horizontally. */
function curve(points: Point[]): string {
  const [first, ...others] = points
  if (!first) return ''
  let before = first
  return others.reduce((path, point) => {
    const middle = (before.x + point.x) / 2
    const next = `${path} C ${middle} ${before.y}, ${middle} ${point.y}, ${point.x} ${point.y}`
    before = point
    return next
  }, `M ${first.x} ${first.y}`)
}
