import { useMemo } from 'preact/hooks'
import { Completion } from '../../components/completion'
import { Chip } from '../../components/parts'
import { namesOf } from '../../logic/metrics'
import { setQuery } from '../../router'
import type { Row } from './versions'

const SUGGESTED = 12

/** Which names of the metadata are columns of the table. The address has them. */
export function Columns({ rows, shown }: { rows: Row[]; shown: string[] }) {
  const names = useMemo(() => namesOf(rows), [rows])
  if (!names.length) return null
  const show = (metrics: string[]) =>
    setQuery((query) => {
      query.delete('m')
      for (const metric of metrics.length ? metrics : ['']) query.append('m', metric)
    }, true)
  const suggest = async (text: string) => {
    const words = text.toLowerCase()
    const others = names.filter((name) => !shown.includes(name) && name.toLowerCase().includes(words))
    return others.slice(0, SUGGESTED).map((name) => ({ value: name }))
  }
  return (
    <details class="columns-shown">
      <summary>Columns</summary>
      <p class="chips">
        {shown.map((metric) => (
          <Chip
            key={metric}
            label={`the column ${metric}`}
            onRemove={() => show(shown.filter((each) => each !== metric))}
          >
            {metric}
          </Chip>
        ))}
      </p>
      <Completion
        label="Add a column"
        placeholder="a name of the metadata"
        suggest={suggest}
        onPick={(name) => names.includes(name) && show([...shown, name])}
      />
    </details>
  )
}
