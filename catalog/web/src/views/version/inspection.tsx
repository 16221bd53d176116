import { Chip } from '../../components/parts'

export interface Inspection {
  format: string
  verdict: string
  findings: { kind: string; what: string; where: string }[]
  summary: { tensors?: number; parameters?: number }
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
        {inspection.format === 'unknown'
          ? 'This is no model format that the inspection knows.'
          : `Format: ${inspection.format}.`}{' '}
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
