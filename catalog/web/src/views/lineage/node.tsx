import type { LineageNode } from '../../logic/lineage'
import { address } from '../../router'

export const nodeAddress = (node: LineageNode): string | null =>
  node.kind && node.item && node.ordinal ? address([node.kind, node.item, node.ordinal]) : null

export function NodeText({ node }: { node: LineageNode }) {
  if (!node.name) return <span class="muted">A version that you cannot read</span>
  return (
    <>
      <strong>{node.name}</strong>{' '}
      <span class="muted">
        {node.kind?.slice(0, -1)}, version {node.ordinal}
      </span>
    </>
  )
}
