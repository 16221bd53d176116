/** What is shown of a lineage: the graph without what is collapsed, and the same as two trees. */
import type { components } from '../api/schema'

export type Lineage = components['schemas']['Lineage']
export type LineageNode = components['schemas']['LineageNode']

export type Direction = 'up' | 'down'

/** What a node was made from (`up`), or what was made from it (`down`). */
export function neighbours(found: Lineage, id: string, direction: Direction): string[] {
  return direction === 'up'
    ? found.edges.filter((edge) => edge.target === id).map((edge) => edge.source)
    : found.edges.filter((edge) => edge.source === id).map((edge) => edge.target)
}

/** Which way from the root a node lies. What is behind it lies further that way. */
export const directionOf = (node: LineageNode): Direction => (node.distance < 0 ? 'up' : 'down')

/** The part of a graph that can be reached from its root without going through a collapsed node. */
export function visible(found: Lineage, closed: ReadonlySet<string>): Pick<Lineage, 'nodes' | 'edges'> {
  const seen = new Set([found.root])
  for (const direction of ['up', 'down'] as const) {
    const waiting = closed.has(found.root) ? [] : [found.root]
    const walked = new Set(waiting)
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      for (const next of neighbours(found, id, direction)) {
        seen.add(next)
        if (walked.has(next) || closed.has(next)) continue
        walked.add(next)
        waiting.push(next)
      }
    }
  }
  return {
    nodes: found.nodes.filter((node) => seen.has(node.id)),
    edges: found.edges.filter((edge) => seen.has(edge.source) && seen.has(edge.target)),
  }
}

export interface Branch {
  node: LineageNode
  /** Whether the branch is shown in full elsewhere: a node is shown with its branches once. */
  again: boolean
  branches: Branch[]
}

/** The nodes on one side of the root, as a tree. */
export function tree(found: Lineage, direction: Direction): Branch[] {
  const nodes = new Map(found.nodes.map((node) => [node.id, node]))
  const shown = new Set<string>([found.root])
  const grown = (id: string): Branch[] =>
    neighbours(found, id, direction).flatMap((next) => {
      const node = nodes.get(next)
      if (!node) return []
      const again = shown.has(next)
      shown.add(next)
      return [{ node, again, branches: again ? [] : grown(next) }]
    })
  return grown(found.root)
}
