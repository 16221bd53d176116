import { people, suggestedTags } from '../../api/lookups'
import type { Suggestion } from '../../components/completion'
import { useLoaded } from '../../components/hooks'
import { setQuery } from '../../router'

const PEOPLE = 3

interface Found {
  tags: Suggestion[]
  owners: Suggestion[]
}

const NOTHING: Found = { tags: [], owners: [] }

/**
 * Tags and owners that what is typed may mean; without a text, the tags that are used most. They are in a line of
 * their own between the field and the results, which neither moves nor covers anything.
 */
export function Suggestions({ text, ready, onPick }: { text: string; ready: boolean; onPick: () => void }) {
  const loaded = useLoaded(
    async (signal) => {
      if (!ready) return NOTHING
      const [tags, owners] = await Promise.all([suggestedTags(text, signal), text ? people(text, signal) : []])
      return { tags, owners: owners.slice(0, PEOPLE) }
    },
    [text, ready],
  )
  const { tags, owners } = loaded.data ?? NOTHING
  const pick = (name: 'tag' | 'owner', value: string) => {
    onPick()
    setQuery((query) => {
      query.delete('q')
      query.delete(name, value)
      if (name === 'tag') query.append(name, value)
      else query.set(name, value)
    })
  }
  return (
    <div class="suggestions">
      {tags.length > 0 && <span class="muted">{text ? 'Tags' : 'Most used'}</span>}
      {tags.map((tag) => (
        <button key={tag.value} type="button" class="chip" onClick={() => pick('tag', tag.value)}>
          <span class="one-line">{tag.value}</span> <span class="muted">{tag.note}</span>
        </button>
      ))}
      {owners.length > 0 && <span class="muted">Owners</span>}
      {owners.map((owner) => (
        <button key={owner.id} type="button" class="chip" onClick={() => pick('owner', owner.id ?? owner.value)}>
          <span class="one-line">{owner.value}</span>
        </button>
      ))}
    </div>
  )
}
