import { useEffect, useMemo, useState } from 'preact/hooks'
import type { FileInfo, Kind, Version } from '../../api/client'
import { allFiles } from '../../api/files'
import { plural, size } from '../../components/format'
import { useAction } from '../../components/hooks'
import { Problem } from '../../components/parts'
import { ACTIONS, Table } from '../../components/table'
import { type Folder, folderOf } from '../../logic/tree'
import { download } from './downloads'
import { isPreviewed } from './preview'
import { hasTensors } from './tensors'

const SHOWN = 200 // entries of one folder, at first
const OPEN = 30 // files of a version whose folders are all open
const SEARCHED = 12
const MOST_AT_ONCE = 5000 // files of a version, which are loaded without a question

interface Props {
  kind: Kind
  item: string
  version: Version
  onPreview: (file: FileInfo) => void
}

/** The files of a version, as a tree that is opened folder by folder, or those of a name. */
export function Files({ kind, item, version, onPreview }: Props) {
  const { busy, error, run } = useAction()
  const saving = useAction()
  const acts: Acts = {
    preview: onPreview,
    isOpened: (file) => isPreviewed(file) || (version.folder && hasTensors(file)),
    download: (file) => saving.run(() => download(kind, item, version, version.folder ? file.path : undefined)),
  }
  const [files, setFiles] = useState(() => withFormats(version))
  const [text, setText] = useState('')
  const isCut = files.length < version.file_count
  const isLong = version.file_count > MOST_AT_ONCE
  const loadAll = () => run(async () => setFiles(await allFiles(kind, item, version)))
  useEffect(() => {
    if (isCut && !isLong) loadAll()
  }, [])
  /** A search is in all files: the others are loaded when it begins. */
  const search = (typed: string) => {
    setText(typed)
    if (isCut && !busy) loadAll()
  }
  const words = text.trim().toLowerCase()
  const found = useMemo(
    () => (words ? files.filter((file) => file.path.toLowerCase().includes(words)) : files),
    [files, words],
  )
  const root = useMemo(() => folderOf(files), [files])
  if (!files.length) return null
  return (
    <section>
      <h2>Files</h2>
      {files.length > SEARCHED && (
        <label class="narrow-form">
          Search {plural(version.file_count, 'file')}
          <input type="search" value={text} onInput={(event) => search(event.currentTarget.value)} />
        </label>
      )}
      <Problem>{error || saving.error}</Problem>
      {isCut && isLong && (
        <p class="actions">
          <span class="muted">
            The first {files.length.toLocaleString('en')} of {plural(version.file_count, 'file')} are shown.
          </span>
          <button type="button" class="small" aria-disabled={busy} onClick={loadAll}>
            {busy ? 'Loading…' : 'Load all'}
          </button>
        </p>
      )}
      <Table label="Files" head={['Path', 'Size', 'SHA-256', 'Format', ACTIONS]}>
        {words ? (
          <Rows files={found} depth={0} acts={acts} key={words} />
        ) : (
          <Level folder={root} depth={0} isOpen={files.length <= OPEN} acts={acts} />
        )}
      </Table>
      {isCut && !isLong && !error && (
        <p class="muted" role="status">
          Loading the other files…
        </p>
      )}
      {words && !found.length && !busy && <p class="muted">No file has this in its path.</p>}
    </section>
  )
}

/** The files that came with a version. The format of an only file is in its inspection. */
function withFormats({ files, folder, inspection }: Version): FileInfo[] {
  const format = inspection?.format
  return folder || !format ? files : files.map((file) => ({ format, ...file }))
}

/** What can be done with a file. */
interface Acts {
  preview: (file: FileInfo) => void
  isOpened: (file: FileInfo) => boolean
  download: (file: FileInfo) => void
}

interface LevelProps {
  folder: Folder<FileInfo>
  depth: number
  /** Whether the folders in it are open at first. */
  isOpen: boolean
  acts: Acts
}

function Level({ folder, depth, isOpen, acts }: LevelProps) {
  const [most, setMost] = useState(SHOWN)
  return (
    <>
      {folder.folders.slice(0, most).map((each) => (
        <Branch key={each.path} folder={each} depth={depth} isOpen={isOpen} acts={acts} />
      ))}
      {folder.folders.length > most && (
        <More depth={depth} left={folder.folders.length - most} one="folder" onMore={() => setMost(most + 5 * SHOWN)} />
      )}
      <Rows files={folder.files} depth={depth} inFolder={folder.path} acts={acts} />
    </>
  )
}

const indented = (depth: number) => ({ class: 'indented', style: { '--depth': depth } })

function Branch({ folder, depth, isOpen, acts }: LevelProps) {
  const [open, setOpen] = useState(isOpen)
  return (
    <>
      <tr>
        <td {...indented(depth)}>
          <button
            type="button"
            class="quiet path"
            title={folder.name}
            aria-expanded={open}
            onClick={() => setOpen(!open)}
          >
            <span aria-hidden="true">{open ? '▾' : '▸'}</span> {folder.name}/
          </button>
        </td>
        <td class="number">{size(folder.size)}</td>
        <td class="muted" colSpan={3}>
          {plural(folder.count, 'file')}
        </td>
      </tr>
      {open && <Level folder={folder} depth={depth + 1} isOpen={isOpen} acts={acts} />}
    </>
  )
}

interface RowsProps {
  files: FileInfo[]
  depth: number
  inFolder?: string
  acts: Acts
}

function Rows({ files, depth, inFolder, acts }: RowsProps) {
  const [most, setMost] = useState(SHOWN)
  const from = inFolder ? inFolder.length + 1 : 0
  return (
    <>
      {files.slice(0, most).map((file) => (
        <tr key={file.path}>
          <td {...indented(depth)}>
            {acts.isOpened(file) ? (
              <button type="button" class="link path" title={file.path} onClick={() => acts.preview(file)}>
                {file.path.slice(from)}
              </button>
            ) : (
              <span class="path" title={file.path}>
                {file.path.slice(from)}
              </span>
            )}
          </td>
          <td class="number">{size(file.size)}</td>
          <td>
            <code title={file.digest}>{file.digest.slice(0, 12)}…</code>
          </td>
          <td>{file.format === 'unknown' ? '' : file.format}</td>
          <td class="actions">
            <button type="button" class="small" onClick={() => acts.download(file)}>
              Download<span class="hidden"> {file.path}</span>
            </button>
          </td>
        </tr>
      ))}
      {files.length > most && (
        <More depth={depth} left={files.length - most} one="file" onMore={() => setMost(most + 5 * SHOWN)} />
      )}
    </>
  )
}

function More({ depth, left, one, onMore }: { depth: number; left: number; one: string; onMore: () => void }) {
  return (
    <tr>
      <td {...indented(depth)} colSpan={5}>
        <button type="button" class="small" onClick={onMore}>
          Show more of {plural(left, one)}
        </button>
      </td>
    </tr>
  )
}
