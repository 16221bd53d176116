import { useState } from 'preact/hooks'
import { api, content, type FileInfo, type Item, type Kind, route, type Version, withTag } from '../../api/client'
import { Crumbs } from '../../components/crumbs'
import { useLoaded } from '../../components/hooks'
import { Chip, LoadingView } from '../../components/parts'
import { useTitle } from '../../components/title'
import { rightsOf } from '../../logic/rights'
import { address, place, setQuery } from '../../router'
import { session } from '../../session'
import { itemPath } from '../paths'
import { Downloads } from './downloads'
import { EditVersion } from './edit'
import { Facts } from './facts'
import { Files } from './files'
import { Findings, type Inspection } from './inspection'
import { Origins } from './origins'
import { Content, Preview } from './preview'
import { hasTensors, Tensors } from './tensors'
import { Use } from './use'
import { verdictTone } from './verdicts'

interface Props {
  kind: Kind
  item: string
  which: string
}

export function VersionView({ kind, item, which }: Props) {
  const loaded = useLoaded(
    async (signal) => {
      const path = `/v1/${kind}/{key}/versions/{which}/info` as '/v1/models/{key}/versions/{which}/info'
      const params = { path: { key: item, which } }
      const [version, parent] = await Promise.all([
        withTag(api.GET(path, { params, signal })),
        content(api.GET(itemPath(kind), { params: { path: { key: item } }, signal })),
      ])
      return { version: version.data as Version, etag: version.etag, parent: parent as Item }
    },
    [kind, item, which],
  )
  return (
    <LoadingView of={loaded}>
      {(found) => <Shown key={found.etag} kind={kind} item={item} {...found} reload={loaded.reload} />}
    </LoadingView>
  )
}

interface ShownProps {
  kind: Kind
  item: string
  parent: Item
  version: Version
  etag: string
  reload: () => void
}

function Shown({ kind, item, parent, version, etag, reload }: ShownProps) {
  const { name } = parent
  const { mayChange } = rightsOf(parent, session.value)
  const [editing, setEditing] = useState(false)
  // The address has the path of the file that is previewed. Of a long list, the file itself may not be here after a reload.
  const [opened, setOpened] = useState<FileInfo | null>(null)
  const file = place.value.query.get('file')
  const previewed = [opened, ...version.files].find((each) => each?.path === file)
  const preview = (next: FileInfo) => {
    setOpened(next)
    setQuery((query) => query.set('file', next.path))
  }
  useTitle(`${name} ${version.ordinal}`)
  const earlier = earlierThan(version.ordinal, parent)
  const inspection = version.inspection as Inspection | null
  // The only file of a version, whose tensors are shown at once. Those of a folder are shown on a click.
  const model = version.folder || !inspection?.summary.tensors ? undefined : version.files[0]
  return (
    <article>
      <header class="head">
        <div>
          <Crumbs kind={kind} item={item} name={name} />
          <h1>Version {version.ordinal}</h1>
          <p class="chips">
            {version.aliases.map((alias) => (
              <Chip key={alias} tone="alias">
                @{alias}
              </Chip>
            ))}
            {version.stage !== 'none' && <Chip>{version.stage}</Chip>}
            {version.state !== 'LIVE' && <Chip tone="warn">{version.state.toLowerCase()}</Chip>}
            {version.archived && <Chip tone="warn">archived</Chip>}
            {inspection && <Chip tone={verdictTone(inspection.verdict)}>{inspection.verdict}</Chip>}
          </p>
        </div>
        <div class="actions">
          <a class="button" href={address(['lineage', kind, item], { which: version.ordinal })}>
            Lineage
          </a>
          {earlier && (
            <a class="button" href={address(['compare', kind, item], both(earlier, version.ordinal))}>
              Compare with {earlier}
            </a>
          )}
          {mayChange && version.state === 'LIVE' && (
            <button type="button" onClick={() => setEditing(true)}>
              Edit
            </button>
          )}
          {!version.uri && <Downloads kind={kind} item={item} version={version} />}
        </div>
      </header>
      {version.description && <p class="text">{version.description}</p>}
      {version.uri && (
        <p class="notice">
          The catalog does not hold these bytes. They are at <code>{version.uri}</code>.
        </p>
      )}
      <div class="columns right">
        <div>
          <Files kind={kind} item={item} version={version} onPreview={preview} />
          {previewed && (
            <Preview key={previewed.path} file={previewed} onClose={() => setQuery((query) => query.delete('file'))}>
              {hasTensors(previewed) ? (
                <Tensors kind={kind} item={item} which={version.ordinal} path={previewed.path} />
              ) : (
                <Content
                  file={previewed}
                  url={route(
                    `/${kind}/${encodeURIComponent(item)}/versions/${encodeURIComponent(version.ordinal)}/files/${path(previewed)}`,
                  )}
                />
              )}
            </Preview>
          )}
          {model && (
            <section>
              <h2>Tensors</h2>
              <Tensors kind={kind} item={item} which={version.ordinal} path={model.path} />
            </section>
          )}
          {inspection && <Findings inspection={inspection} />}
          <Use
            kind={kind}
            name={name}
            ordinal={version.ordinal}
            alias={version.aliases[0]}
            isMlflowModel={version.files.some((file) => file.path === 'MLmodel')}
          />
        </div>
        <aside aria-label="Facts">
          <Facts version={version} />
          <Origins kind={kind} item={item} which={version.ordinal} />
        </aside>
      </div>
      {editing && (
        <EditVersion
          kind={kind}
          item={item}
          version={version}
          etag={etag}
          onClose={() => setEditing(false)}
          onSaved={reload}
        />
      )}
    </article>
  )
}

const both = (one: string, other: string) =>
  new URLSearchParams([
    ['which', one],
    ['which', other],
  ])

/** The version before this one, if the item lists it. */
function earlierThan(ordinal: string, parent: Item): string | undefined {
  const at = parent.versions.findIndex((each) => each.ordinal === ordinal)
  return parent.versions.slice(0, Math.max(0, at)).findLast((each) => each.state === 'LIVE')?.ordinal
}

const path = (file: FileInfo) => file.path.split('/').map(encodeURIComponent).join('/')
