/** Fields of forms that say something of an item or a version. */
import type { Pair } from '../../api/client'
import { suggestedNames, suggestedTags } from '../../api/lookups'
import { Completion } from '../../components/completion'
import { Chip } from '../../components/parts'
import { typed } from '../../logic/changes'

export function Tags({ tags, onChange }: { tags: string[]; onChange: (tags: string[]) => void }) {
  return (
    <div>
      <Completion
        label="Tags"
        placeholder="Add a tag"
        free
        suggest={suggestedTags}
        onPick={(tag) => tags.includes(tag) || onChange([...tags, tag])}
      />
      <p class="chips">
        {tags.map((tag) => (
          <Chip key={tag} label={tag} onRemove={() => onChange(tags.filter((each) => each !== tag))}>
            {tag}
          </Chip>
        ))}
      </p>
    </div>
  )
}

export function Metadata({ pairs, onChange }: { pairs: Pair[]; onChange: (pairs: Pair[]) => void }) {
  return (
    <fieldset>
      <legend>Metadata</legend>
      {pairs.map((pair, index) => (
        <div key={pair.name} class="row">
          <label>
            {pair.name}
            <input
              value={String(pair.value)}
              onChange={(event) =>
                onChange(pairs.with(index, { name: pair.name, value: typed(event.currentTarget.value) }))
              }
            />
          </label>
          <button
            type="button"
            class="quiet"
            aria-label={`Remove ${pair.name}`}
            onClick={() => onChange(pairs.filter((each) => each !== pair))}
          >
            ✕
          </button>
        </div>
      ))}
      <Completion
        label="Add a name"
        free
        suggest={suggestedNames}
        onPick={(name) => pairs.some((pair) => pair.name === name) || onChange([...pairs, { name, value: '' }])}
      />
    </fieldset>
  )
}
