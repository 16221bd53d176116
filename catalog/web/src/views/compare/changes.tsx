import { size } from '../../components/format'
import { Chip, Scroll } from '../../components/parts'
import type { Comparison, FromFirst } from '../../logic/comparison'

type Tensors = FromFirst['tensors'][number]

const SHOWN = 200

interface Line {
  sign: '+' | '−' | '≠'
  name: string
  before: string
  after: string
}

const TONES = { '+': 'good', '−': 'danger', '≠': 'warn' } as const
const WORDS = { '+': 'added', '−': 'removed', '≠': 'changed' } as const

/** Files and tensors that each version adds, removes and changes against the first. */
export function Changes({ found }: { found: Comparison }) {
  const base = found.versions[0]?.ordinal
  return (
    <section>
      <h2>Files and tensors</h2>
      {found.differences.map((each, index) => (
        <details key={each.which} open={index === 0}>
          <summary>
            From {base} to {found.versions[index + 1]?.ordinal}: {sentence(each.files.counts, 'file')}
          </summary>
          <Lines label={`Files of ${each.which}`} lines={filesOf(each)} />
          {each.tensors.map((file) => (
            <div key={file.path}>
              <h3>
                Tensors of {file.path}: {sentence(file.counts, 'tensor')}
                {!file.complete && ', of those that could be read'}
              </h3>
              <Lines label={`Tensors of ${file.path} in ${each.which}`} lines={tensorsOf(file)} />
            </div>
          ))}
          {each.skipped.length > 0 && <p class="muted">Not compared: {each.skipped.join(', ')}</p>}
        </details>
      ))}
    </section>
  )
}

function sentence(counts: Tensors['counts'], one: string): string {
  const parts = [
    [counts.added, 'added'],
    [counts.removed, 'removed'],
    [counts.changed, 'changed'],
    [counts.same, 'the same'],
  ].filter(([count]) => count)
  return parts.length ? parts.map(([count, word]) => `${count} ${word}`).join(', ') : `no ${one}`
}

const filesOf = ({ files }: FromFirst): Line[] => [
  ...files.added.map((file): Line => ({ sign: '+', name: file.path, before: '', after: size(file.size) })),
  ...files.removed.map((file): Line => ({ sign: '−', name: file.path, before: size(file.size), after: '' })),
  ...files.changed.map(
    (file): Line => ({ sign: '≠', name: file.path, before: size(file.size_before), after: size(file.size) }),
  ),
]

const shape = (dtype: string, dimensions: number[]): string => `${dtype} ${dimensions.join(' × ')}`

const tensorsOf = (file: Tensors): Line[] => [
  ...file.added.map((each): Line => ({ sign: '+', name: each.name, before: '', after: shape(each.dtype, each.shape) })),
  ...file.removed.map(
    (each): Line => ({ sign: '−', name: each.name, before: shape(each.dtype, each.shape), after: '' }),
  ),
  ...file.changed.map(
    (each): Line => ({
      sign: '≠',
      name: each.name,
      before: shape(each.dtype_before, each.shape_before),
      after: shape(each.dtype, each.shape),
    }),
  ),
]

function Lines({ label, lines }: { label: string; lines: Line[] }) {
  if (!lines.length) return null
  return (
    <>
      <Scroll label={label} tall={lines.length > 12}>
        <table>
          <thead>
            <tr>
              <th>Change</th>
              <th>Name</th>
              <th>Before</th>
              <th>After</th>
            </tr>
          </thead>
          <tbody>
            {lines.slice(0, SHOWN).map((line) => (
              <tr key={`${line.sign} ${line.name}`}>
                <td>
                  <Chip tone={TONES[line.sign]}>
                    {line.sign} {WORDS[line.sign]}
                  </Chip>
                </td>
                <td>{line.name}</td>
                <td>{line.before}</td>
                <td>{line.after}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {lines.length > SHOWN && <p class="muted">The first {SHOWN} are shown.</p>}
    </>
  )
}
