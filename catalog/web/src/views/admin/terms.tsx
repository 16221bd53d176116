import { useState } from 'preact/hooks'
import { api, content, listed } from '../../api/client'
import { beginning, suggestedNames, suggestedTags } from '../../api/lookups'
import type { components } from '../../api/schema'
import { Completion } from '../../components/completion'
import { Dialog } from '../../components/dialog'
import { FilterField } from '../../components/field'
import { plural } from '../../components/format'
import { submitted } from '../../components/forms'
import { useAction } from '../../components/hooks'
import { notify } from '../../components/notices'
import { usePaged } from '../../components/paged'
import { Chip, Problem } from '../../components/parts'
import { ACTIONS, ListState, ShowMore, Table } from '../../components/table'
import { Tabs } from '../../components/tabs'
import { place, setQuery } from '../../router'

type Term = components['schemas']['ListedTerm']
type Vocabulary = 'tags' | 'metadata'

const NAMES: Record<Vocabulary, string> = { tags: 'Tags', metadata: 'Metadata names' }

/** The paths of both vocabularies answer alike: the types know them as that of tags. */
const pathOf = (vocabulary: Vocabulary) => ({
  all: `/v1/${vocabulary}` as '/v1/tags',
  one: `/v1/${vocabulary}/{word}` as '/v1/tags/{word}',
  merge: `/v1/${vocabulary}/{word}/merge` as '/v1/tags/{word}/merge',
})

export function Terms() {
  const { query } = place.value
  const vocabulary: Vocabulary = query.get('of') === 'metadata' ? 'metadata' : 'tags'
  return (
    <>
      <h2>Terms</h2>
      <p class="muted">
        Terms grow by use. What you make a default term is suggested first; spellings of one term can be merged.
      </p>
      <Tabs
        label="Vocabulary"
        tabs={NAMES}
        now={vocabulary}
        onPick={(key) => setQuery((change) => (key === 'tags' ? change.delete('of') : change.set('of', key)))}
      >
        <List key={vocabulary} vocabulary={vocabulary} q={query.get('q') ?? ''} />
      </Tabs>
    </>
  )
}

function List({ vocabulary, q }: { vocabulary: Vocabulary; q: string }) {
  const path = pathOf(vocabulary)
  const list = usePaged<Term>(
    async (after, signal) => {
      const query = { limit: 50, after, sort: '{"uses":"desc"}', ...beginning('_id', q) }
      return listed<Term>(api.GET(path.all, { params: { query }, signal }))
    },
    [q],
  )
  const { busy, error, run } = useAction()
  const [merging, setMerging] = useState<Term | null>(null)
  const add = (name: string) =>
    run(async () => {
      await content(api.POST(path.all, { body: { _id: name } }))
      notify(`${name} is a default term.`)
      list.reload()
    })
  const remove = (term: Term) =>
    run(async () => {
      await content(api.DELETE(path.one, { params: { path: { word: term._id } } }))
      list.reload()
    })
  const submit = (event: SubmitEvent) => {
    const { text, reset } = submitted(event)
    add(text('term')).then((isAdded) => isAdded && reset())
  }
  return (
    <>
      <div class="row">
        <FilterField
          label="Find by its beginning"
          value={q}
          onChange={(text) => setQuery((change) => (text ? change.set('q', text) : change.delete('q')), true)}
        />
        <form class="row wide flush" onSubmit={submit}>
          <label>
            New default term
            <input name="term" required autoComplete="off" />
          </label>
          <button type="submit" aria-disabled={busy}>
            Add
          </button>
        </form>
      </div>
      <Problem>{error || list.error}</Problem>
      <ListState list={list} empty={q ? 'There is no such term.' : 'There is no term yet.'} />
      <Table label={NAMES[vocabulary]} head={['Term', 'Used by', 'Kind', ACTIONS]}>
        {list.docs.map((term) => (
          <tr key={term._id}>
            <td>{term._id}</td>
            <td class="number">{plural(term.uses, 'item')}</td>
            <td>{term.usage === 'default' ? <Chip tone="good">default</Chip> : <Chip>by use</Chip>}</td>
            <td class="actions">
              {term.usage !== 'default' && (
                <button type="button" class="small" aria-disabled={busy} onClick={() => add(term._id)}>
                  Make <span class="hidden">{term._id} a </span>default
                </button>
              )}
              <button type="button" class="small" aria-disabled={busy} onClick={() => setMerging(term)}>
                Merge<span class="hidden"> {term._id} into another</span>
              </button>
              {term.uses === 0 && (
                <button type="button" class="small" aria-disabled={busy} onClick={() => remove(term)}>
                  Remove<span class="hidden"> {term._id}</span>
                </button>
              )}
            </td>
          </tr>
        ))}
      </Table>
      <ShowMore list={list} />
      {merging && (
        <Merge vocabulary={vocabulary} term={merging} onClose={() => setMerging(null)} onMerged={list.reload} />
      )}
    </>
  )
}

interface MergeProps {
  vocabulary: Vocabulary
  term: Term
  onClose: () => void
  onMerged: () => void
}

/** One request changes a hundred items: a common term takes several, and its progress is shown. */
function Merge({ vocabulary, term, onClose, onMerged }: MergeProps) {
  const { busy, error, run } = useAction()
  const [into, setInto] = useState('')
  const [changed, setChanged] = useState(0)
  const merge = () =>
    run(async () => {
      const params = { path: { word: term._id } }
      let total = 0
      for (let complete = false; !complete; ) {
        const done = await content(api.POST(pathOf(vocabulary).merge, { params, body: { into } }))
        total += done.changed
        complete = done.complete
        setChanged(total)
      }
      notify(`${plural(total, 'item')} now ${total === 1 ? 'uses' : 'use'} ${into}.`)
      onMerged()
      onClose()
    })
  return (
    <Dialog title={`Merge ${term._id}`} onClose={onClose}>
      <Problem>{error}</Problem>
      <p>
        {plural(term.uses, 'item')} will use another term, and {term._id} is removed.
      </p>
      <Completion
        label="Merge into"
        free
        suggest={vocabulary === 'tags' ? suggestedTags : suggestedNames}
        onPick={setInto}
      />
      {into && (
        <p class="actions">
          <button type="button" class="main" aria-disabled={busy} onClick={merge}>
            Merge into {into}
          </button>
          {busy && <span role="status">{changed} done</span>}
        </p>
      )}
    </Dialog>
  )
}
