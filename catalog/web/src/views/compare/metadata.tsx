import { useState } from 'preact/hooks'
import type { Kind } from '../../api/client'
import { plural, size, value } from '../../components/format'
import { Chip, Scroll } from '../../components/parts'
import { save } from '../../components/save'
import { type Comparison, change, metadataTable } from '../../logic/comparison'
import { csv } from '../../logic/table'
import { address, place, setQuery } from '../../router'

const SHOWN = 200
const SEARCHED = 30

interface Row {
  name: string
  cells: string[]
  differs: boolean
  change?: string[]
}

function facts(found: Comparison): Row[] {
  const row = (name: string, of: (version: Comparison['versions'][number]) => string): Row => {
    const cells = found.versions.map(of)
    return { name, cells, differs: new Set(cells).size > 1 }
  }
  return [
    row('stage', (version) => version.stage),
    row('author', (version) => version.author),
    row('description', (version) => version.description),
    row('size', (version) => size(version.size ?? 0)),
    row('files', (version) => plural(version.file_count, 'file')),
    row('SHA-256', (version) => (version.digest ?? '').slice(0, 12)),
  ].filter((each) => each.cells.some(Boolean))
}

interface Props {
  kind: Kind
  item: string
  name: string
  found: Comparison
}

/** What is said of the versions, a row for each name. What differs is marked. */
export function Metadata({ kind, item, name, found }: Props) {
  const [text, setText] = useState('')
  const [most, setMost] = useState(SHOWN)
  const onlyDifferences = place.value.query.get('rows') === 'different'
  const metadata = found.metadata.map(
    (row): Row => ({
      name: row.name,
      cells: row.values.map((each) => (each === null ? '' : value(each))),
      differs: row.differs,
      change: row.change.map((each, index) => (index ? change(each) : '')),
    }),
  )
  const all = [...metadata, ...facts(found)].filter((row) => row.differs || !onlyDifferences)
  const words = text.trim().toLowerCase()
  const matching = words ? all.filter((row) => row.name.toLowerCase().includes(words)) : all
  const rows = matching.slice(0, most)
  return (
    <section>
      <h2>Metadata</h2>
      <div class="row">
        <label class="check">
          <input
            type="checkbox"
            checked={onlyDifferences}
            onChange={() =>
              setQuery((query) => (onlyDifferences ? query.delete('rows') : query.set('rows', 'different')))
            }
          />
          Only what differs
        </label>
        {found.metadata.length > SEARCHED && (
          <label class="narrow-choice">
            Search {plural(found.metadata.length, 'name')}
            <input type="search" value={text} onInput={(event) => setText(event.currentTarget.value)} />
          </label>
        )}
        <button
          type="button"
          class="small"
          onClick={() => save(`${name} metadata.csv`, new Blob([csv(metadataTable(found))], { type: 'text/csv' }))}
        >
          Save the metadata as CSV
        </button>
      </div>
      <Scroll label="Metadata of the versions">
        <table class="compared">
          <thead>
            <tr>
              <th>
                <span class="hidden">Name</span>
              </th>
              {found.versions.map((version) => (
                <th key={version.which}>
                  <a href={address([kind, item, version.ordinal])}>{version.ordinal}</a>{' '}
                  {version.aliases.map((alias) => (
                    <Chip key={alias} tone="alias">
                      @{alias}
                    </Chip>
                  ))}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.name} class={row.differs ? 'differs' : ''}>
                <th scope="row">
                  {row.name}
                  {row.differs && (
                    <span class="mark" title="differs">
                      {' '}
                      ≠<span class="hidden"> differs</span>
                    </span>
                  )}
                </th>
                {row.cells.map((cell, index) => (
                  <td key={found.versions[index]?.which} class={cell === row.cells[0] ? '' : 'other'}>
                    {cell || <span class="muted">none</span>}
                    {row.change?.[index] && <span class="muted"> {row.change[index]}</span>}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {matching.length > most && (
        <button type="button" onClick={() => setMost(matching.length)}>
          Show {plural(matching.length - most, 'more row', 'more rows')}
        </button>
      )}
    </section>
  )
}
