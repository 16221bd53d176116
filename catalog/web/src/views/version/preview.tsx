import type { ComponentChildren } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { type FileInfo, firstBytes } from '../../api/client'
import { size } from '../../components/format'
import { useLoaded } from '../../components/hooks'
import { Loading, Scroll } from '../../components/parts'
import { cells } from '../../logic/csv'

const TEXT =
  /\.(txt|md|json|jsonl|csv|tsv|ya?ml|toml|ini|cfg|py|log|xml|html?|svg|sh|ipynb)$|(^|\/)(MLmodel|LICENSE|README|Dockerfile)$/i
/** Images that a browser can only draw. SVG is a program, and is shown as text. */
const IMAGE: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
}
const MOST_TEXT = 256 * 1024
const MOST_IMAGE = 8 * 2 ** 20

const imageType = (path: string): string | undefined => IMAGE[path.split('.').at(-1)?.toLowerCase() ?? '']

export const isPreviewed = (file: FileInfo): boolean =>
  TEXT.test(file.path) || (imageType(file.path) !== undefined && file.size <= MOST_IMAGE)

interface Props {
  file: FileInfo
  onClose: () => void
  children: ComponentChildren
}

/** Something of a file, below the files. */
export function Preview({ file, onClose, children }: Props) {
  return (
    <section class="preview">
      <header class="dialog-head">
        <h3>{file.path}</h3>
        <button type="button" class="quiet" aria-label="Close the preview" onClick={onClose}>
          ✕
        </button>
      </header>
      {children}
    </section>
  )
}

/** What a file holds: text, a table, or a picture. */
export function Content({ file, url }: { file: FileInfo; url: string }) {
  const type = imageType(file.path)
  const loaded = useLoaded((signal) => firstBytes(url, type ? MOST_IMAGE : MOST_TEXT, signal), [url])
  return (
    <Loading of={loaded}>
      {(bytes) => (type ? <Picture bytes={bytes} type={type} name={file.path} /> : <Text bytes={bytes} file={file} />)}
    </Loading>
  )
}

function Picture({ bytes, type, name }: { bytes: ArrayBuffer; type: string; name: string }) {
  const url = useMemo(() => URL.createObjectURL(new Blob([bytes], { type })), [bytes, type])
  useEffect(() => () => URL.revokeObjectURL(url), [url])
  return <img src={url} alt={name} />
}

function Text({ bytes, file }: { bytes: ArrayBuffer; file: FileInfo }) {
  const text = useMemo(() => new TextDecoder().decode(bytes), [bytes])
  const isWhole = bytes.byteLength >= file.size
  return (
    <>
      {/\.(csv|tsv)$/i.test(file.path) ? (
        <Rows text={text} separator={/\.tsv$/i.test(file.path) ? '\t' : ','} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and so must be reachable by keyboard
        <pre tabIndex={0}>{/\.json$/i.test(file.path) && isWhole ? indented(text) : text}</pre>
      )}
      {!isWhole && <p class="muted">The first {size(bytes.byteLength)} are shown.</p>}
    </>
  )
}

function Rows({ text, separator }: { text: string; separator: string }) {
  const [head = [], ...rows] = useMemo(() => cells(text, separator), [text, separator])
  return (
    <Scroll label="Rows" tall>
      <table>
        <thead>
          <tr>
            {head.map((cell, index) => (
              <th key={index}>{cell}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
