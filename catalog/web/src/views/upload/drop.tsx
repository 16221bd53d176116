import { useState } from 'preact/hooks'
import { plural, size } from '../../components/format'
import { useAction } from '../../components/hooks'
import { Problem } from '../../components/parts'
import { chosenFiles, droppedFiles, type Found } from '../../upload/dropped'

const SHOWN = 10

export const total = (files: { size: number }[]) => files.reduce((sum, file) => sum + file.size, 0)

/** Where files are dropped or chosen, and which they are. */
export function Drop({ found, onFiles }: { found: Found[]; onFiles: (files: Found[]) => void }) {
  const [over, setOver] = useState(false)
  const { error, run } = useAction()
  const drop = async (event: DragEvent) => {
    event.preventDefault()
    setOver(false)
    const data = event.dataTransfer
    if (data) await run(async () => onFiles(await droppedFiles(data)))
  }
  const choose = (event: Event) => {
    const field = event.currentTarget as HTMLInputElement
    if (field.files?.length) onFiles(chosenFiles(field.files))
  }
  return (
    <fieldset
      class={`drop ${over ? 'over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <legend class="hidden">Files</legend>
      <p>Drop files or a folder here, or choose them:</p>
      <div class="row">
        <label>
          Files
          <input type="file" multiple onChange={choose} />
        </label>
        <label>
          A folder
          <input type="file" {...{ webkitdirectory: true }} onChange={choose} />
        </label>
      </div>
      <Problem>{error && 'What you dropped cannot be read. Choose the files or the folder instead.'}</Problem>
      {found.length > 0 && (
        <ul class="plain" aria-label="Chosen files">
          {found.slice(0, SHOWN).map(({ file, path }) => (
            <li key={path}>
              <span class="wide">{path}</span> <span class="muted">{size(file.size)}</span>
            </li>
          ))}
          {found.length > SHOWN && (
            <li class="muted">
              and {plural(found.length - SHOWN, 'more file')}, {size(total(found.map((each) => each.file)))} in all
            </li>
          )}
        </ul>
      )}
    </fieldset>
  )
}
