import { useMemo, useState } from 'preact/hooks'
import { api, content, type Item, type Kind, type Version } from '../../api/client'
import { age, size, value } from '../../components/format'
import { useLoaded } from '../../components/hooks'
import { Chip, Loading, Scroll } from '../../components/parts'
import { MOST_COMPARED } from '../../logic/comparison'
import { commonMetrics, metadata, type Order, ordered } from '../../logic/metrics'
import { address } from '../../router'
import { shortVerdict, verdictTone } from '../version/inspection'
import { AliasDialog } from './aliases'

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
  const [ticked, setTicked] = useState<string[]>([])
  const tick = (ordinal: string) =>
    setTicked((before) => (before.includes(ordinal) ? before.filter((each) => each !== ordinal) : [...before, ordinal]))
  const sortBy = (by: string) => setOrder((before) => ({ by, ascending: before.by === by ? !before.ascending : false }))
  return (
    <>
      <CompareLink kind={kind} item={item} rows={rows} ticked={ticked} />
      <Scroll label="Versions">
        <table>
          <thead>
            <tr>
              <th>
                <span class="hidden">Compare</span>
              </th>
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
                <td class="tick">
                  {row.state === 'LIVE' && (
                    <input
                      type="checkbox"
                      aria-label={`Compare version ${row.ordinal}`}
                      checked={ticked.includes(row.ordinal)}
                      disabled={ticked.length >= MOST_COMPARED && !ticked.includes(row.ordinal)}
                      onChange={() => tick(row.ordinal)}
                    />
                  )}
                </td>
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
                      title="Set, move and roll back aliases"
                      onClick={() => setAliasing(row)}
                    >
                      Aliases<span class="hidden"> of version {row.ordinal}</span>
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
                  {row.inspection && (
                    <Chip tone={verdictTone(row.inspection.verdict)}>{shortVerdict(row.inspection.verdict)}</Chip>
                  )}
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

/** To compare what is ticked; without a choice, the newest versions. */
function CompareLink({ kind, item, rows, ticked }: { kind: Kind; item: Item; rows: Row[]; ticked: string[] }) {
  const newest = rows.filter((row) => row.state === 'LIVE').map((row) => row.ordinal)
  if (newest.length < 2) return null
  // The oldest comes first: it is what the others are compared with.
  const order = rows.map((row) => row.ordinal).reverse()
  const chosen = (ticked.length > 1 ? ticked : newest.slice(0, MOST_COMPARED)).toSorted(
    (one, other) => order.indexOf(one) - order.indexOf(other),
  )
  const query = new URLSearchParams(chosen.map((which) => ['which', which]))
  return (
    <p>
      <a class="button small-button" href={address(['compare', kind, item._id], query)}>
        Compare {ticked.length > 1 ? `the ${ticked.length} ticked` : `the newest ${chosen.length}`}
      </a>
    </p>
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
