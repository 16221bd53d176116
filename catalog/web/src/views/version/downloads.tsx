import { useState } from 'preact/hooks'
import { api, content, type Kind, SERVER, type Version } from '../../api/client'
import { Dialog } from '../../components/dialog'
import { date, size } from '../../components/format'
import { useAction, useLoaded } from '../../components/hooks'
import { Code, Loading, Problem } from '../../components/parts'
import { itemPath } from '../paths'

interface Link {
  url: string
  expires: string
}

/** An address that opens without a token. `path`: of one file of a folder. */
async function created(kind: Kind, item: string, version: Version, expires_in: number, path?: string): Promise<Link> {
  const at = `${itemPath(kind)}/versions/{which}/link` as '/v1/models/{key}/versions/{which}/link'
  const params = { path: { key: item, which: version.ordinal } }
  const made = await content(api.POST(at, { params, body: { expires_in, ...(path && { path }) } }))
  return { url: new URL(made.url, `${SERVER}/`).href, expires: made.expires }
}

const MOMENT = 60 // seconds

/** Downloads go by an address that expires, so that the browser saves the file itself and shows its progress. */
export async function download(kind: Kind, item: string, version: Version, path?: string): Promise<void> {
  location.assign((await created(kind, item, version, MOMENT, path)).url)
}

const LIVES: Record<string, string> = { 300: '5 minutes', 3600: 'an hour', 86400: 'a day' }
const FIRST_LIFE = '3600'

interface Props {
  kind: Kind
  item: string
  version: Version
}

export function Downloads({ kind, item, version }: Props) {
  const { busy, error, run } = useAction()
  const [sharing, setSharing] = useState(false)
  return (
    <>
      <button type="button" onClick={() => setSharing(true)}>
        Share a link
      </button>
      <button type="button" class="main" aria-disabled={busy} onClick={() => run(() => download(kind, item, version))}>
        Download {version.folder ? 'all as zip' : size(version.size)}
      </button>
      <Problem>{error}</Problem>
      {sharing && <ShareDialog kind={kind} item={item} version={version} onClose={() => setSharing(false)} />}
    </>
  )
}

function ShareDialog({ kind, item, version, onClose }: Props & { onClose: () => void }) {
  const [life, setLife] = useState(FIRST_LIFE)
  const link = useLoaded(() => created(kind, item, version, Number(life)), [life])
  return (
    <Dialog title={`Share version ${version.ordinal}`} onClose={onClose}>
      <label class="narrow-choice">
        Valid for
        <select value={life} onChange={(event) => setLife(event.currentTarget.value)}>
          {Object.entries(LIVES).map(([seconds, words]) => (
            <option key={seconds} value={seconds}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <Loading of={link}>
        {({ url, expires }) => (
          <>
            <p role="status">Opens without signing in, until {date(expires)}.</p>
            <Code>{url}</Code>
          </>
        )}
      </Loading>
    </Dialog>
  )
}
