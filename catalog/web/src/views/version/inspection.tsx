import { useMemo, useState } from 'preact/hooks'
import { plural } from '../../components/format'
import { Chip } from '../../components/parts'
import { Table } from '../../components/table'

export interface Inspection {
  format: string
  verdict: string
  findings: { kind: string; what: string; where: string }[]
  summary: { tensors?: number; parameters?: number; shown?: Tensor[] }
}

interface Tensor {
  name: string
  dtype: string
  shape: number[]
}

const SHOWN = 200

export function Tensors({ tensors, total }: { tensors: Tensor[]; total: number }) {
  const [text, setText] = useState('')
  const found = useMemo(
    () => tensors.filter((tensor) => tensor.name.toLowerCase().includes(text.toLowerCase())),
    [tensors, text],
  )
  return (
    <section>
      <h2>Tensors</h2>
      <label>
        Search {plural(total, 'tensor')}
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
      {(found.length > SHOWN || total > tensors.length) && <p class="muted">Only the first are shown.</p>}
    </section>
  )
}

const MEANINGS: Record<string, string> = {
  dangerous: 'Known to be used in attacks. Do not load this file.',
  suspicious: 'Unknown. Load the file only if you trust where it comes from.',
  unfinished: 'Not all of the file was scanned.',
  failed: 'The file could not be inspected.',
  malformed: 'The file violates its format.',
  opaque: 'Packed in a way that the inspection does not support.',
  abridged: 'The header is too long to be read completely.',
}

export function Findings({ inspection }: { inspection: Inspection }) {
  return (
    <section>
      <h2>Inspection</h2>
      <p>
        {inspection.format === 'unknown' ? 'The format is unknown.' : `Format: ${inspection.format}.`}{' '}
        {inspection.verdict.charAt(0).toUpperCase() + inspection.verdict.slice(1)}.
        {inspection.summary.parameters ? ` ${inspection.summary.parameters.toLocaleString('en')} parameters.` : ''}
      </p>
      <ul>
        {inspection.findings.map((finding) => (
          <li key={`${finding.kind} ${finding.where} ${finding.what}`}>
            <Chip tone={finding.kind === 'dangerous' ? 'danger' : 'warn'}>{finding.kind}</Chip> {finding.what}
            {finding.where && <span class="muted"> in {finding.where}</span>}
            <br />
            <span class="muted">{MEANINGS[finding.kind]}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
