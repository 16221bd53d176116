import { useRef, useState } from 'preact/hooks'
import { KINDS, type Kind, type Pair } from '../../api/client'
import { plural, size } from '../../components/format'
import { notify } from '../../components/notices'
import { Problem } from '../../components/parts'
import { useTitle } from '../../components/title'
import { place } from '../../router'
import { running, upload } from '../../upload/current'
import { type Found, LEFT_OUT, withoutCommonFolder } from '../../upload/dropped'
import { tusClient } from '../../upload/transfer'
import type { Made } from '../../upload/version'
import { Metadata, Tags } from '../item/fields'
import { isKind } from '../paths'
import { Drop, total } from './drop'
import { Progress } from './progress'

type Visibility = 'private' | 'public'

/** Upload files as a new version, of a new item or of one that is there. */
export function Upload() {
  const { query } = place.value
  const target = query.get('item')
  const asked = query.get('kind') ?? undefined
  const [kind, setKind] = useState<Kind>(isKind(asked) ? asked : 'models')
  const [name, setName] = useState('')
  const [visibility, setVisibility] = useState<Visibility>('private')
  const [description, setDescription] = useState('')
  const [tags, setTags] = useState<string[]>([])
  const [metadata, setMetadata] = useState<Pair[]>([])
  const [alias, setAlias] = useState('')
  const [found, setFound] = useState<Found[]>([])
  const [error, setError] = useState('')
  const made = useRef<Made & { of?: string }>({})
  useTitle(target ? 'Upload a version' : 'Upload')

  const take = (files: Found[]) => {
    const kept = files.filter(({ path }) => !LEFT_OUT.test(path))
    if (kept.length < files.length)
      notify(`${plural(files.length - kept.length, 'file')} left out: .git, __pycache__ and the like.`)
    setFound(withoutCommonFolder(kept))
    tusClient().catch(() => undefined) // the upload says what is wrong
    setError('')
    if (!name && kept[0]) setName(kept[0].path.split('/')[0]?.replace(/(?<=.)\.[^.]+$/, '') ?? '')
  }
  const submit = async (event: SubmitEvent) => {
    event.preventDefault()
    setError('')
    if (!found.length) return setError('Choose at least one file.')
    const of = `${kind} ${target ?? name.trim()}`
    if (made.current.of !== of) made.current = { of }
    const said = { description, metadata, alias: alias.trim().replace(/^@/, '') }
    const item = target ?? { name: name.trim(), visibility, tags }
    setError(await upload({ kind, target: item, files: found, said }, made.current))
  }
  const isRunning = running.value !== null
  return (
    <section>
      <h1>{target ? 'Upload a version' : 'Upload a model or a dataset'}</h1>
      {isRunning && <Progress />}
      <form class="stack wide-form" onSubmit={submit} hidden={isRunning}>
        <Problem>{error}</Problem>
        <Drop found={found} onFiles={take} />
        {!target && (
          <div class="row">
            <label>
              Kind
              <select value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
                {KINDS.map((each) => (
                  <option key={each} value={each}>
                    {each.slice(0, -1)}
                  </option>
                ))}
              </select>
            </label>
            <label>
              Name
              <input required maxLength={255} value={name} onInput={(event) => setName(event.currentTarget.value)} />
            </label>
            <label>
              Visibility
              <select value={visibility} onChange={(event) => setVisibility(event.currentTarget.value as Visibility)}>
                <option value="private">private</option>
                <option value="public">public in the organisation</option>
              </select>
            </label>
          </div>
        )}
        {!target && <Tags tags={tags} onChange={setTags} />}
        <label>
          What is new in this version
          <textarea rows={2} value={description} onInput={(event) => setDescription(event.currentTarget.value)} />
        </label>
        <Metadata pairs={metadata} onChange={setMetadata} />
        <label>
          Alias
          <input
            value={alias}
            pattern="@?[\w\-]*"
            placeholder="champion"
            onInput={(event) => setAlias(event.currentTarget.value)}
          />
        </label>
        <p>
          <button type="submit" class="main">
            Upload{' '}
            {found.length > 0 && `${plural(found.length, 'file')}, ${size(total(found.map((each) => each.file)))}`}
          </button>
        </p>
      </form>
    </section>
  )
}
