import { useMemo, useState } from 'preact/hooks'
import { api, content, type Item, type Kind, type Version } from '../api/client'
import { age, size, value } from '../components/format'
import { useLoaded } from '../components/hooks'
import { Chip, Loading, Scroll } from '../components/parts'
import { commonMetrics, metadata, type Order, ordered } from '../logic/metrics'
import { address } from '../router'
import { AliasDialog } from './aliases'
import { verdictTone } from './version'

const SHOWN = 100

type Row = Omit<Version, 'files'>

interface Props {
  kind: Kind
  item: Item
  mayChange: boolean
  onChange: () => void
}

export function Versions({ kind, item, mayChange, onChange }: Props) {
  const loaded = useLoaded(
    async (signal) => {
      const path = `/v1/${kind}/{key}/versions` as '/v1/models/{key}/versions'
      const params = { path: { key: item._id }, query: { limit: SHOWN, after: '' } }
      const found = await content(api.GET(path, { params, signal }))
      return found.docs as unknown as Row[]
    },
    [kind, item._id, item.lastmod],
  )
  return (
    <section>
      <h2>Versions</h2>
      <Loading of={loaded}>
        {(rows) =>
          rows.length ? (
            <Table kind={kind} item={item} rows={rows} mayChange={mayChange} onChange={onChange} />
          ) : (
            <p class="muted">There is no version yet.</p>
          )
        }
      </Loading>
    </section>
  )
}

function Table({ kind, item, rows, mayChange, onChange }: Props & { rows: Row[] }) {
  const [order, setOrder] = useState<Order>({ by: '', ascending: false })
  const [aliasing, setAliasing] = useState<Row | null>(null)
  const metrics = useMemo(() => commonMetrics(rows), [rows])
  const sorted = useMemo(() => ordered(rows, order), [rows, order])
  const sortBy = (by: string) => setOrder((before) => ({ by, ascending: before.by === by ? !before.ascending : false }))
  return (
    <>
      <Scroll label="Versions">
        <table>
          <thead>
            <tr>
              <Heading by="" order={order} onSort={sortBy}>
                Version
              </Heading>
              <th>Aliases</th>
              {metrics.map((metric) => (
                <Heading key={metric} by={metric} order={order} onSort={sortBy}>
                  {metric}
                </Heading>
              ))}
              <th>Size</th>
              <th>Inspection</th>
              <th>Age</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((row) => (
              <tr key={row._id}>
                <td>
                  <a href={address([kind, item._id, row.ordinal])}>{row.ordinal}</a>{' '}
                  {row.state !== 'LIVE' && <Chip tone="warn">{row.state.toLowerCase()}</Chip>}
                  {row.stage !== 'none' && <Chip>{row.stage}</Chip>}
                  {row.archived && <Chip>archived</Chip>}
                </td>
                <td class="chips">
                  {row.aliases.map((alias) => (
                    <Chip key={alias} tone="alias">
                      @{alias}
                    </Chip>
                  ))}
                  {mayChange && row.state === 'LIVE' && (
                    <button
                      type="button"
                      class="quiet small"
                      aria-label={`Aliases of version ${row.ordinal}`}
                      onClick={() => setAliasing(row)}
                    >
                      @…
                    </button>
                  )}
                </td>
                {metrics.map((metric) => (
                  <td key={metric} class="number">
                    {value(metadata(row, metric) ?? '')}
                  </td>
                ))}
                <td class="number">{row.uri ? 'elsewhere' : size(row.size)}</td>
                <td>
                  {row.inspection && <Chip tone={verdictTone(row.inspection.verdict)}>{row.inspection.verdict}</Chip>}
                </td>
                <td title={row.timestamp}>{age(row.timestamp)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {item.versionsTotal > rows.length && <p class="muted">The newest {rows.length} are shown.</p>}
      {aliasing && (
        <AliasDialog
          kind={kind}
          item={item}
          version={aliasing.ordinal}
          onClose={() => setAliasing(null)}
          onChange={onChange}
        />
      )}
    </>
  )
}

interface HeadingProps {
  by: string
  order: Order
  onSort: (by: string) => void
  children: string
}

function Heading({ by, order, onSort, children }: HeadingProps) {
  const direction = order.by !== by ? undefined : order.ascending ? 'ascending' : 'descending'
  return (
    <th aria-sort={direction}>
      <button type="button" class="quiet" onClick={() => onSort(by)}>
        {children} {direction === 'ascending' ? '▲' : direction ? '▼' : ''}
      </button>
    </th>
  )
}
