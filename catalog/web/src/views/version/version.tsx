import { useState } from 'preact/hooks'
import {
  api,
  authorized,
  content,
  type FileInfo,
  type Kind,
  refusal,
  route,
  SERVER,
  type Version,
} from '../../api/client'
import { date, plural, size, value } from '../../components/format'
import { useAction, useLoaded } from '../../components/hooks'
import { Chip, Code, Loading, Problem, When } from '../../components/parts'
import { Username } from '../../components/username'
import { address } from '../../router'
import { Files } from './files'
import { Findings, type Inspection, Tensors, verdictTone } from './inspection'
import { Origins } from './origins'
import { Preview } from './preview'
import { Use } from './use'

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
        content(api.GET(path, { params, signal })),
        content(api.GET(`/v1/${kind}/{key}` as '/v1/models/{key}', { params: { path: { key: item } }, signal })),
      ])
      return { version: version as Version, name: (parent as { name: string }).name }
    },
    [kind, item, which],
  )
  return (
    <Loading of={loaded}>
      {({ version, name }) => <Shown kind={kind} item={item} name={name} version={version} />}
    </Loading>
  )
}

function Shown({ kind, item, name, version }: { kind: Kind; item: string; name: string; version: Version }) {
  const [previewed, setPreviewed] = useState<FileInfo | null>(null)
  const inspection = version.inspection as unknown as Inspection | null
  const tensors = inspection?.summary.shown ?? []
  return (
    <article>
      <header class="head">
        <div>
          <p class="muted">
            <a href={address([kind, item])}>{name}</a>
          </p>
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
        <Downloads kind={kind} item={item} version={version} />
      </header>
      {version.description && <p class="text">{version.description}</p>}
      {version.uri && (
        <p class="notice">
          The catalog does not hold these bytes. They are at <code>{version.uri}</code>.
        </p>
      )}
      <div class="columns right">
        <div>
          <Files kind={kind} item={item} version={version} onPreview={setPreviewed} />
          {previewed && (
            <Preview
              key={previewed.path}
              file={previewed}
              url={route(
                `/${kind}/${encodeURIComponent(item)}/versions/${encodeURIComponent(version.ordinal)}/files/${path(previewed)}`,
              )}
              onClose={() => setPreviewed(null)}
            />
          )}
          {tensors.length > 0 && <Tensors tensors={tensors} total={inspection?.summary.tensors ?? tensors.length} />}
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
    </article>
  )
}

const path = (file: FileInfo) => file.path.split('/').map(encodeURIComponent).join('/')

/** Downloads go by an address that expires, so that the browser saves the file itself and shows its progress. */
function Downloads({ kind, item, version }: { kind: Kind; item: string; version: Version }) {
  const { busy, error, run } = useAction()
  const [link, setLink] = useState<{ url: string; expires: string } | null>(null)
  const create = async (expires_in: number) => {
    const at = `/v1/${kind}/{key}/versions/{which}/link` as '/v1/models/{key}/versions/{which}/link'
    const params = { path: { key: item, which: version.ordinal } }
    const made = await content(api.POST(at, { params, body: { expires_in } }))
    return { url: new URL(made.url, `${SERVER}/`).href, expires: made.expires }
  }
  return (
    <div class="actions">
      <a class="button" href={address(['lineage', kind, item], { which: version.ordinal })}>
        Lineage
      </a>
      {!version.uri && (
        <>
          <button type="button" disabled={busy} onClick={() => run(async () => setLink(await create(3600)))}>
            Share a link
          </button>
          <button
            type="button"
            class="main"
            disabled={busy}
            onClick={() => run(async () => location.assign((await create(60)).url))}
          >
            Download {version.folder ? 'all as zip' : size(version.size)}
          </button>
        </>
      )}
      <Problem>{error}</Problem>
      {link && (
        <div>
          <p class="muted">Opens without signing in, until {date(link.expires)}.</p>
          <Code>{link.url}</Code>
        </div>
      )}
    </div>
  )
}

function Facts({ version }: { version: Version }) {
  return (
    <section>
      <h2>Facts</h2>
      <dl class="facts">
        {version.metadata.map((pair) => (
          <div key={pair.name}>
            <dt>{pair.name}</dt>
            <dd>{value(pair.value)}</dd>
          </div>
        ))}
        {version.author && (
          <div>
            <dt>Author</dt>
            <dd>{version.author}</dd>
          </div>
        )}
        <div>
          <dt>Added by</dt>
          <dd>
            <Username id={version.owner} />, <When moment={version.timestamp} />
          </dd>
        </div>
        <div>
          <dt>Size</dt>
          <dd>
            {size(version.size)} in {plural(version.file_count, 'file')}
          </dd>
        </div>
        {version.digest && (
          <div>
            <dt>SHA-256</dt>
            <dd>
              <code class="digest">{version.digest}</code>
            </dd>
          </div>
        )}
      </dl>
    </section>
  )
}

/** The first bytes of a file. Throws a Refusal. */
export async function firstBytes(url: string, count: number, signal: AbortSignal): Promise<ArrayBuffer> {
  const answer = await authorized(new Request(url, { headers: { Range: `bytes=0-${count - 1}` }, signal }))
  if (answer.status === 416) return new ArrayBuffer(0) // the file is empty
  if (!answer.ok) throw await refusal(answer)
  return answer.arrayBuffer()
}
