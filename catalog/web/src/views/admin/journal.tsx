import { api, listed, type Page } from '../../api/client'
import { now } from '../../api/clock'
import type { components } from '../../api/schema'
import { FilterField } from '../../components/field'
import { type Paged, usePaged } from '../../components/paged'
import { Chip, Problem, When } from '../../components/parts'
import { save } from '../../components/save'
import { ListState, ShowMore, Table } from '../../components/table'
import { journalFilter } from '../../logic/journal'
import { csv } from '../../logic/table'
import { place, setQuery } from '../../router'

export type Entry = components['schemas']['JournalEntry']

export function Journal() {
  const list = useEntries('/v1/log', (query, signal) =>
    listed<Entry>(api.GET('/v1/log', { params: { query }, signal })),
  )
  return <Entries list={list} />
}

interface Asked {
  limit: number
  after: string
  filter?: string
}

/** The entries that the address asks for. */
export function useEntries(
  route: string,
  load: (query: Asked, signal: AbortSignal) => Promise<Page<Entry>>,
): Paged<Entry> {
  const filter = journalFilter(place.value.query, Math.floor(now() / 60_000) * 60_000)
  return usePaged<Entry>(
    (after, signal) => load({ limit: 50, after, ...(filter && { filter }) }, signal),
    [route, place.value.query.toString()],
  )
}

const set = (name: string, value: string, replace = false) =>
  setQuery((query) => (value ? query.set(name, value) : query.delete(name)), replace)

export function Entries({ list }: { list: Paged<Entry> }) {
  const { query } = place.value
  return (
    <>
      <h2>Journal</h2>
      <div class="row">
        <FilterField label="User" value={query.get('user') ?? ''} onChange={(text) => set('user', text, true)} />
        <FilterField
          label="Path contains"
          value={query.get('path') ?? ''}
          onChange={(text) => set('path', text, true)}
        />
        <Choice
          name="method"
          label="Method"
          options={{ POST: 'POST', PUT: 'PUT', DELETE: 'DELETE', GET: 'GET', PATCH: 'PATCH' }}
        />
        <Choice name="result" label="Result" options={{ refused: 'refused', failed: 'failed in the server' }} />
        <Choice name="since" label="Since" options={{ hour: 'an hour ago', day: 'a day ago', week: 'a week ago' }} />
        <button type="button" aria-disabled={list.loading} onClick={list.reload}>
          {list.loading ? 'Loading…' : 'Refresh'}
        </button>
        <button
          type="button"
          disabled={!list.docs.length}
          onClick={() => save('journal.csv', new Blob([csv(tableOf(list.docs))], { type: 'text/csv' }))}
        >
          Save as CSV
        </button>
      </div>
      <Problem>{list.error}</Problem>
      <ListState list={list} empty="There is no such entry." />
      <Table label="Journal" head={['When', 'User', 'Request', 'Result', 'Time', 'From']}>
        {list.docs.map((entry) => (
          <tr key={entry._id}>
            <td>
              <When moment={entry.date} />
            </td>
            <td>{entry.user ?? <span class="muted">not signed in</span>}</td>
            <td class="request">
              {entry.method} {entry.path}
              {(entry.requests ?? 1) > 1 && <span class="muted"> and {(entry.requests ?? 1) - 1} like it</span>}
            </td>
            <td>
              <Chip tone={entry.result >= 500 ? 'danger' : entry.result >= 400 ? 'warn' : 'good'}>{entry.result}</Chip>
            </td>
            <td class="number">{Math.round(entry.duration)} ms</td>
            <td>{entry.address}</td>
          </tr>
        ))}
      </Table>
      <ShowMore list={list} />
    </>
  )
}

function Choice({ name, label, options }: { name: string; label: string; options: Record<string, string> }) {
  return (
    <label>
      {label}
      <select value={place.value.query.get(name) ?? ''} onChange={(event) => set(name, event.currentTarget.value)}>
        <option value="">any</option>
        {Object.entries(options).map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

const tableOf = (entries: Entry[]) => ({
  head: ['date', 'user', 'method', 'path', 'result', 'milliseconds', 'address', 'request'],
  rows: entries.map((entry) => [
    entry.date,
    entry.user ?? null,
    entry.method,
    entry.path,
    entry.result,
    entry.duration,
    entry.address ?? null,
    entry.request_id,
  ]),
})
