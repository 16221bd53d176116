import { useState } from 'preact/hooks'
import { api, content, type Kind, SERVER, type Version } from '../../api/client'
import { date, size } from '../../components/format'
import { useAction } from '../../components/hooks'
import { Code, Problem } from '../../components/parts'
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

const LIVES: Record<string, string> = { 3600: 'an hour', 300: '5 minutes', 86400: 'a day' }

export function Downloads({ kind, item, version }: { kind: Kind; item: string; version: Version }) {
  const { busy, error, run } = useAction()
  const [life, setLife] = useState('')
  const [link, setLink] = useState<Link | null>(null)
  const share = (seconds: string) =>
    run(async () => {
      setLife(seconds)
      setLink(await created(kind, item, version, Number(seconds)))
    })
  return (
    <>
      <button type="button" disabled={busy} onClick={() => share(life || '3600')}>
        Share a link
      </button>
      <button type="button" class="main" disabled={busy} onClick={() => run(() => download(kind, item, version))}>
        Download {version.folder ? 'all as zip' : size(version.size)}
      </button>
      <Problem>{error}</Problem>
      {link && (
        <div class="notice shared-link">
          <div class="row">
            <p class="wide">Opens without signing in, until {date(link.expires)}.</p>
            <label class="narrow-choice">
              Valid for
              <select value={life} onChange={(event) => share(event.currentTarget.value)}>
                {Object.entries(LIVES).map(([seconds, words]) => (
                  <option key={seconds} value={seconds}>
                    {words}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <Code>{link.url}</Code>
        </div>
      )}
    </>
  )
}
