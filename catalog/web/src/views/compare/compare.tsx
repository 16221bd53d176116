import '../../styles/compare.css'
import { api, content, type Kind, listed } from '../../api/client'
import { Crumbs } from '../../components/crumbs'
import { useLoaded } from '../../components/hooks'
import { Chip, Loading, Problem } from '../../components/parts'
import { useTitle } from '../../components/title'
import { type Comparison, MOST_COMPARED, metricsOf } from '../../logic/comparison'
import { place, setQuery } from '../../router'
import { itemPath } from '../paths'
import { Changes } from './changes'
import { Metadata } from './metadata'
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
        listed<{ ordinal: string }>(api.GET(at, { params, signal })),
      ])
      const { name } = found as { name: string }
      return {
        name,
        ordinals: versions.docs.map((each) => each.ordinal),
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
      <Crumbs kind={kind} item={item} name={name} />
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
  const parts = ['Metadata', ...(metricsOf(found).length ? ['Plots'] : []), 'Files and tensors']
  return (
    <>
      <nav aria-label="On this page" class="actions">
        {parts.map((heading) => (
          <button key={heading} type="button" class="link" onClick={() => goTo(heading)}>
            {heading}
          </button>
        ))}
      </nav>
      <Metadata kind={kind} item={item} name={name} found={found} />
      <Plots found={found} name={name} />
      {!parts.includes('Plots') && (
        <p class="muted">
          There are no numbers to plot. A version gets them when it is edited, or pushed with{' '}
          <code>--set accuracy=0.95</code>.
        </p>
      )}
      <Changes found={found} />
    </>
  )
}

/** The address is that of the view, and so cannot name a part of it. */
function goTo(heading: string): void {
  const found = [...document.querySelectorAll<HTMLElement>('article h2')].find((each) => each.textContent === heading)
  if (!found) return
  found.tabIndex = -1
  found.scrollIntoView()
  found.focus({ preventScroll: true })
}
