import '../../styles/lineage.css'
import { api, content, type Kind } from '../../api/client'
import { Crumbs } from '../../components/crumbs'
import { useLoaded } from '../../components/hooks'
import { Loading } from '../../components/parts'
import { Tabs } from '../../components/tabs'
import { useTitle } from '../../components/title'
import { type Branch, type Lineage, tree } from '../../logic/lineage'
import { place, setQuery } from '../../router'
import { Graph } from './graph'
import { NodeText, nodeAddress } from './node'

const DEPTH = '3'
const DEPTHS = ['1', '2', '3', '5', '10']

interface Props {
  kind: Kind
  item: string
}

/** What a version was made from, and what was made from it. */
export function LineageView({ kind, item }: Props) {
  const { query } = place.value
  const which = query.get('which')
  const depth = query.get('depth') ?? DEPTH
  const asList = query.get('view') === 'list'
  const loaded = useLoaded(
    async (signal) => {
      const at = `/v1/${kind}/{key}/lineage` as '/v1/models/{key}/lineage'
      const params = { path: { key: item }, query: { depth: Number(depth), ...(which && { which }) } }
      return content(api.GET(at, { params, signal }))
    },
    [kind, item, which, depth],
  )
  const root = loaded.data?.nodes.find((node) => node.id === loaded.data?.root)
  useTitle(root?.name ?? undefined, 'Lineage')
  return (
    <article>
      <Crumbs kind={kind} item={item} name={root?.name ?? ''} />
      <h1>Lineage{root?.ordinal && ` of version ${root.ordinal}`}</h1>
      <div class="row">
        <label class="narrow-choice">
          Levels
          <select
            value={depth}
            onChange={(event) => setQuery((change) => change.set('depth', event.currentTarget.value))}
          >
            {DEPTHS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      </div>
      <Tabs
        label="Lineage as"
        tabs={{ graph: 'Graph', list: 'List' }}
        now={asList ? 'list' : 'graph'}
        onPick={(key) => setQuery((change) => (key === 'list' ? change.set('view', key) : change.delete('view')))}
      >
        <Loading of={loaded}>
          {(found) => (
            <>
              {found.nodes.length === 1 && (
                <p class="notice">
                  Nothing is known of what this version was made from, and nothing was made from it. Say so when you
                  upload: <code>catalog push --input dataset@1</code>
                </p>
              )}
              {asList ? <Lists found={found} /> : found.nodes.length > 1 && <Graph found={found} />}
              {found.truncated && <p class="muted">There are more versions. The nearest are shown.</p>}
              <Surroundings found={found} />
            </>
          )}
        </Loading>
      </Tabs>
    </article>
  )
}

function Lists({ found }: { found: Lineage }) {
  return (
    <div class="halves">
      <section>
        <h2>Made from</h2>
        <Branches branches={tree(found, 'up')} empty="None known" />
      </section>
      <section>
        <h2>Used in</h2>
        <Branches branches={tree(found, 'down')} empty="Nothing" />
      </section>
    </div>
  )
}

function Branches({ branches, empty = '' }: { branches: Branch[]; empty?: string }) {
  if (!branches.length) return empty ? <p class="muted">{empty}</p> : null
  return (
    <ul class="branches">
      {branches.map(({ node, again, branches: further }) => {
        const to = nodeAddress(node)
        const text = <NodeText node={node} />
        return (
          <li key={node.id}>
            {to ? <a href={to}>{text}</a> : text}
            {again && <span class="muted"> (see above)</span>}
            <Branches branches={further} />
          </li>
        )
      })}
    </ul>
  )
}

/** The training run, where the version is deployed, and what was tracked of it. */
function Surroundings({ found }: { found: Lineage }) {
  const { run, services, artifacts } = found
  return (
    <div class="halves">
      {run && (
        <section>
          <h2>Training run</h2>
          <p>
            {/^https?:/.test(run.link) ? (
              <a href={run.link} rel="noreferrer">
                {run.id}
              </a>
            ) : (
              run.id
            )}
          </p>
        </section>
      )}
      {services.length > 0 && (
        <section>
          <h2>Deployed in</h2>
          <ul>
            {services.map((service) => (
              <li key={service.serial}>
                {service.name} <span class="muted">{service.desired_state.toLowerCase()}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {artifacts.length > 0 && (
        <section>
          <h2>Artifacts</h2>
          <ul>
            {artifacts.map((artifact) => (
              <li key={artifact.serial}>
                {artifact.name} <span class="muted">{artifact.type}</span> {artifact.uri && <code>{artifact.uri}</code>}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}
