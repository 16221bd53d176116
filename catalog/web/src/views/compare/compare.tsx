import '../../styles/compare.css'
import { useState } from 'preact/hooks'
import { api, content, type Kind } from '../../api/client'
import { plural, size, value } from '../../components/format'
import { useLoaded } from '../../components/hooks'
import { Chip, Loading, Problem, Scroll } from '../../components/parts'
import { save } from '../../components/save'
import { useTitle } from '../../components/title'
import { type Comparison, change, MOST_COMPARED, metadataTable } from '../../logic/comparison'
import { csv } from '../../logic/table'
import { address, place, setQuery } from '../../router'
import { itemPath } from '../paths'
import { Changes } from './changes'
import { Plots } from './plots'

interface Props {
  kind: Kind
  item: string
}

/** Versions side by side. The first is the one that the others are compared with. */
export function Compare({ kind, item }: Props) {
  const which = place.value.query.getAll('which')
  const parent = useLoaded(
    async (signal) => {
      const at = `/v1/${kind}/{key}/versions` as '/v1/models/{key}/versions'
      const params = { path: { key: item }, query: { limit: 100, after: '', filter: '{"state":"LIVE"}' } }
      const [found, versions] = await Promise.all([
        content(api.GET(itemPath(kind), { params: { path: { key: item } }, signal })),
        content(api.GET(at, { params, signal })),
      ])
      const { name } = found as { name: string }
      return {
        name,
        ordinals: (versions as unknown as { docs: { ordinal: string }[] }).docs.map((each) => each.ordinal),
      }
    },
    [kind, item],
  )
  const loaded = useLoaded(
    async (signal) => {
      if (which.length < 2) return null
      const at = `/v1/${kind}/{key}/versions/compare` as '/v1/models/{key}/versions/compare'
      return content(api.GET(at, { params: { path: { key: item }, query: { which } }, signal }))
    },
    [kind, item, which.join('\n')],
  )
  const name = parent.data?.name ?? ''
  useTitle(name, 'Compare')
  return (
    <article>
      <p class="muted">
        <a href={address([kind, item])}>{name || kind}</a>
      </p>
      <h1>Compare versions</h1>
      <Chosen which={which} ordinals={parent.data?.ordinals ?? []} />
      {which.length < 2 ? (
        <p class="muted">Choose at least two versions.</p>
      ) : (
        <>
          <Problem>{loaded.error}</Problem>
          {!loaded.error && (
            <Loading of={loaded}>
              {(found) => (found ? <Compared kind={kind} item={item} name={name} found={found} /> : null)}
            </Loading>
          )}
        </>
      )}
    </article>
  )
}

function Chosen({ which, ordinals }: { which: string[]; ordinals: string[] }) {
  const others = ordinals.filter((each) => !which.includes(each))
  return (
    <div class="row">
      <p class="chips">
        {which.map((each, index) => (
          <Chip key={each} label={`version ${each}`} onRemove={() => setQuery((query) => query.delete('which', each))}>
            {each}
            {index === 0 && <span class="muted"> (base)</span>}
          </Chip>
        ))}
      </p>
      {which.length < MOST_COMPARED && others.length > 0 && (
        <label class="narrow-choice">
          Add a version
          <select
            value=""
            onChange={(event) => {
              const added = event.currentTarget.value
              if (added) setQuery((query) => query.append('which', added))
            }}
          >
            <option value="">Choose</option>
            {others.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      )}
    </div>
  )
}

function Compared({ kind, item, name, found }: Props & { name: string; found: Comparison }) {
  return (
    <>
      <Metadata kind={kind} item={item} name={name} found={found} />
      <Plots found={found} name={name} />
      <Changes found={found} />
    </>
  )
}

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

function Metadata({ kind, item, name, found }: Props & { name: string; found: Comparison }) {
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
