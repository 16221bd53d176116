import { useMemo, useState } from 'preact/hooks'
import type { Item, Kind } from '../../api/client'
import { plural, size, value } from '../../components/format'
import { Chip, Scroll, When } from '../../components/parts'
import { Username } from '../../components/username'
import { MOST_COMPARED } from '../../logic/comparison'
import { commonMetrics, metadata, type Order, ordered, orderOf, orderText } from '../../logic/metrics'
import { address, place, setQuery } from '../../router'
import { shortVerdict, verdictTone } from '../version/verdicts'
import { AliasDialog } from './aliases'
import { Columns } from './columns'
import type { Row } from './versions'

interface Props {
  kind: Kind
  item: Item
  rows: Row[]
  /** Whether the rows come in the order of the address already. */
  isSorted: boolean
  mayChange: boolean
  onChange: () => void
}

const FEW = 10 // versions that are shown at first

/** The versions of an item. Which metrics are columns, and the order, are in the address. */
export function VersionTable({ kind, item, rows, isSorted, mayChange, onChange }: Props) {
  const { query } = place.value
  const order = orderOf(query.get('sort'))
  const [aliasing, setAliasing] = useState<Row | null>(null)
  const [ticked, setTicked] = useState<string[]>([])
  const [isWhole, setWhole] = useState(rows.length <= FEW + 2)
  const common = useMemo(() => commonMetrics(rows), [rows])
  const metrics = query.has('m') ? query.getAll('m').filter(Boolean) : common
  const sorted = useMemo(() => (isSorted ? rows : ordered(rows, order)), [rows, isSorted, orderText(order)])
  const tick = (ordinal: string) =>
    setTicked((before) => (before.includes(ordinal) ? before.filter((each) => each !== ordinal) : [...before, ordinal]))
  const sortBy = (by: string) => {
    const next = { by, ascending: order.by === by && !order.ascending }
    setQuery((change) => (orderText(next) ? change.set('sort', orderText(next)) : change.delete('sort')), true)
  }
  const heading = (by: string, text: string) => (
    <Heading key={by} by={by} order={order} onSort={sortBy}>
      {text}
    </Heading>
  )
  return (
    <>
      <div class="actions">
        <CompareLink kind={kind} item={item} rows={rows} ticked={ticked} />
        <Columns rows={rows} shown={metrics} />
      </div>
      <Scroll label="Versions">
        <table class="narrow-cells">
          <thead>
            <tr>
              <th>
                <span class="hidden">Compare</span>
              </th>
              {heading('', 'Version')}
              <th>Aliases</th>
              {metrics.map((metric) => heading(metric, metric))}
              <th class="number">Size</th>
              <th>Inspection</th>
              <th>Author</th>
              <th>Age</th>
            </tr>
          </thead>
          <tbody>
            {(isWhole ? sorted : sorted.slice(0, FEW)).map((row) => (
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
                      class="quiet small menu"
                      title="Set, move and roll back aliases"
                      onClick={() => setAliasing(row)}
                    >
                      <span aria-hidden="true">⋯</span>
                      <span class="hidden">Aliases of version {row.ordinal}</span>
                    </button>
                  )}
                </td>
                {metrics.map((metric) => (
                  <Metric key={metric} of={metadata(row, metric)} />
                ))}
                <td class="number">{row.uri ? 'elsewhere' : size(row.size)}</td>
                <td>
                  {row.inspection && (
                    <Chip tone={verdictTone(row.inspection.verdict)}>{shortVerdict(row.inspection.verdict)}</Chip>
                  )}
                </td>
                <td class="cut">
                  {row.author ? <span title={row.author}>{row.author}</span> : <Username id={row.owner} />}
                </td>
                <td>
                  <When moment={row.timestamp} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {!isWhole && (
        <p class="beside">
          <button type="button" class="small" onClick={() => setWhole(true)}>
            Show {plural(sorted.length - FEW, 'more version')}
          </button>
        </p>
      )}
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

function Metric({ of }: { of: string | number | boolean | undefined }) {
  if (typeof of === 'string') {
    return (
      <td class="cut">
        <span title={of}>{of}</span>
      </td>
    )
  }
  return <td class="number">{of === undefined ? '' : value(of)}</td>
}

/** To compare what is ticked; without a choice, the newest versions. */
function CompareLink({ kind, item, rows, ticked }: { kind: Kind; item: Item; rows: Row[]; ticked: string[] }) {
  // The newest first, whatever the order of the table is.
  const byAge = rows.toSorted((one, other) => Date.parse(other.timestamp) - Date.parse(one.timestamp))
  const newest = byAge.filter((row) => row.state === 'LIVE').map((row) => row.ordinal)
  if (newest.length < 2) return null
  // The oldest comes first: it is what the others are compared with.
  const order = byAge.map((row) => row.ordinal).reverse()
  const chosen = (ticked.length > 1 ? ticked : newest.slice(0, MOST_COMPARED)).toSorted(
    (one, other) => order.indexOf(one) - order.indexOf(other),
  )
  const query = new URLSearchParams(chosen.map((which) => ['which', which]))
  return (
    <a class="button small-button" href={address(['compare', kind, item._id], query)}>
      Compare {ticked.length > 1 ? `the ${ticked.length} ticked` : `the newest ${chosen.length}`}
    </a>
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
    <th aria-sort={direction} class={by ? 'number' : ''}>
      <button type="button" class="quiet cut" title={children} onClick={() => onSort(by)}>
        {children} <span aria-hidden="true">{direction === 'ascending' ? '▲' : direction ? '▼' : ''}</span>
      </button>
    </th>
  )
}
