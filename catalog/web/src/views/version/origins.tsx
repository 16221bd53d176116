import { api, content, type Kind } from '../../api/client'
import { useLoaded } from '../../components/hooks'
import type { LineageNode } from '../../logic/lineage'
import { NodeText, nodeAddress } from '../lineage/node'

/** What a version was made from, what was made from it, and where it is deployed: one step each way. */
export function Origins({ kind, item, which }: { kind: Kind; item: string; which: string }) {
  const loaded = useLoaded(
    async (signal) => {
      const at = `/v1/${kind}/{key}/lineage` as '/v1/models/{key}/lineage'
      return content(api.GET(at, { params: { path: { key: item }, query: { which, depth: 1 } }, signal }))
    },
    [kind, item, which],
  )
  const found = loaded.data
  if (!found) return null
  return (
    <>
      <Nodes title="Made from" nodes={found.nodes.filter((node) => node.distance < 0)} />
      <Nodes title="Used in" nodes={found.nodes.filter((node) => node.distance > 0)} />
      {found.services.length > 0 && (
        <section>
          <h2>Deployed in</h2>
          <ul class="grants">
            {found.services.map((service) => (
              <li key={service.serial}>
                {service.name} <span class="muted">{service.desired_state.toLowerCase()}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}

function Nodes({ title, nodes }: { title: string; nodes: LineageNode[] }) {
  if (!nodes.length) return null
  return (
    <section>
      <h2>{title}</h2>
      <ul class="grants">
        {nodes.map((node) => {
          const to = nodeAddress(node)
          return <li key={node.id}>{to ? <a href={to}>{<NodeText node={node} />}</a> : <NodeText node={node} />}</li>
        })}
      </ul>
    </section>
  )
}
