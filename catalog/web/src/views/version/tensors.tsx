import { useMemo, useState } from 'preact/hooks'
import { api, content, type FileInfo, type Kind } from '../../api/client'
import { plural } from '../../components/format'
import { useLoaded } from '../../components/hooks'
import { Loading } from '../../components/parts'
import { Table } from '../../components/table'
import { inOrder } from '../../logic/order'

const SHOWN = 200

/** Layer 2 is before layer 10. */
const byName = (one: { name: string }, other: { name: string }) => inOrder.compare(one.name, other.name)

/** Whether the catalog reads tensors in a file. */
export const hasTensors = (file: FileInfo): boolean => ['safetensors', 'onnx', 'gguf'].includes(file.format ?? '')

interface Props {
  kind: Kind
  item: string
  which: string
  path: string
}

/** The tensors of a file, which are searched by their names. */
export function Tensors({ kind, item, which, path }: Props) {
  const loaded = useLoaded(
    (signal) => {
      const at = `/v1/${kind}/{key}/versions/{which}/tensors` as '/v1/models/{key}/versions/{which}/tensors'
      return content(api.GET(at, { params: { path: { key: item, which }, query: { path } }, signal }))
    },
    [kind, item, which, path],
  )
  const [text, setText] = useState('')
  const words = text.trim().toLowerCase()
  const all = loaded.data?.tensors
  const found = useMemo(
    () => all?.filter((tensor) => tensor.name.toLowerCase().includes(words)).sort(byName) ?? [],
    [all, words],
  )
  return (
    <Loading of={loaded}>
      {({ tensors, isWhole }) => (
        <>
          <label>
            Search {plural(tensors.length, 'tensor')}
            <input type="search" value={text} onInput={(event) => setText(event.currentTarget.value)} />
          </label>
          <Table label="Tensors" tall head={['Name', 'Type', 'Shape']}>
            {found.slice(0, SHOWN).map((tensor) => (
              <tr key={tensor.name}>
                <td>{tensor.name}</td>
                <td>{tensor.dtype}</td>
                <td>{tensor.shape.join(' × ')}</td>
              </tr>
            ))}
          </Table>
          {found.length > SHOWN && (
            <p class="muted">
              The first {SHOWN} of {found.length.toLocaleString('en')} are shown. Search for the others by name.
            </p>
          )}
          {!isWhole && <p class="muted">The file has more tensors, or its header cannot be read to the end.</p>}
        </>
      )}
    </Loading>
  )
}
