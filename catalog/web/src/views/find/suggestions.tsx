import type { Kind } from '../../api/client'
import { people, suggestedItems, suggestedTags } from '../../api/lookups'
import type { Suggestion } from '../../components/completion'
import { useLoaded } from '../../components/hooks'
import { address, setQuery } from '../../router'

const PEOPLE = 3

interface Found {
  items: Awaited<ReturnType<typeof suggestedItems>>
  tags: Suggestion[]
  owners: Suggestion[]
}

const NOTHING: Found = { items: [], tags: [], owners: [] }

interface Props {
  text: string
  kind: Kind | ''
  ready: boolean
  onPick: () => void
}

/**
 * Names, tags and owners that what is typed may mean; without a text, the first tags of the vocabulary. They are in a line
 * of their own between the field and the results, which neither moves nor covers anything.
 */
export function Suggestions({ text, kind, ready, onPick }: Props) {
  const loaded = useLoaded(
    async (signal) => {
      if (!ready) return NOTHING
      const [items, tags, owners] = await Promise.all([
        text ? suggestedItems(text, kind, signal) : [],
        suggestedTags(text, signal),
        text ? people(text, signal) : [],
      ])
      return { items, tags, owners: owners.slice(0, PEOPLE) }
    },
    [text, kind, ready],
  )
  const { items, tags, owners } = loaded.data ?? NOTHING
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
    <section class="suggestions" aria-label="Suggestions">
      {items.length > 0 && <span class="muted">Names</span>}
      {items.map((item) => (
        <a key={item._id} class="chip" href={address([item.kind, item._id])} title={item.reference}>
          <span class="one-line">{item.name}</span>
        </a>
      ))}
      {tags.length > 0 && <span class="muted">Tags</span>}
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
    </section>
  )
}
