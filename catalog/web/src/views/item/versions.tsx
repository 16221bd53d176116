import { useMemo, useState } from 'preact/hooks'
import { api, content, type Item, type Kind, type Version } from '../../api/client'
import { size, value } from '../../components/format'
import { type Page, usePaged } from '../../components/paged'
import { Chip, Problem, Scroll, When } from '../../components/parts'
import { ListState, ShowMore } from '../../components/table'
import { MOST_COMPARED } from '../../logic/comparison'
import { commonMetrics, metadata, type Order, ordered } from '../../logic/metrics'
import { address } from '../../router'
import { shortVerdict, verdictTone } from '../version/inspection'
import { AliasDialog } from './aliases'
import { RetentionDialog } from './old-versions'

const FIRST = 100 // versions
const NEXT = 500

type Row = Omit<Version, 'files'>

interface Props {
  kind: Kind
  item: Item
  mayChange: boolean
  mayManage: boolean
  onChange: () => void
}

export function Versions({ kind, item, mayChange, mayManage, onChange }: Props) {
  const list = usePaged<Row>(
    async (after, signal) => {
      const path = `/v1/${kind}/{key}/versions` as '/v1/models/{key}/versions'
      const params = { path: { key: item._id }, query: { limit: after ? NEXT : FIRST, after } }
      return (await content(api.GET(path, { params, signal }))) as unknown as Page<Row>
    },
    [kind, item._id, item.lastmod],
  )
  const [keeping, setKeeping] = useState(false)
  return (
    <section>
      <h2>Versions</h2>
      <Problem>{list.error}</Problem>
      <ListState list={list} empty="There is no version yet." />
      {list.docs.length > 0 && (
        <>
          <VersionTable kind={kind} item={item} rows={list.docs} mayChange={mayChange} onChange={onChange} />
          <p class="actions">
            <ShowMore list={list} />
            {list.hasMore && (
              <span class="muted">
                The newest {list.docs.length} of {item.versionsTotal} are shown.
              </span>
            )}
            {mayManage && (
              <button type="button" class="small" onClick={() => setKeeping(true)}>
                Keep or remove old versions
              </button>
            )}
          </p>
        </>
      )}
      {keeping && (
        <RetentionDialog
          kind={kind}
          item={item}
          onClose={() => setKeeping(false)}
          onChange={() => {
            list.reload()
            onChange()
          }}
        />
      )}
    </section>
  )
}

function VersionTable({ kind, item, rows, mayChange, onChange }: Omit<Props, 'mayManage'> & { rows: Row[] }) {
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
                <td>
                  <When moment={row.timestamp} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
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
