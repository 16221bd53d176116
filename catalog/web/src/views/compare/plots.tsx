import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { value } from '../../components/format'
import { useMedia } from '../../components/hooks'
import { notify } from '../../components/notices'
import { Problem, Scroll } from '../../components/parts'
import { save } from '../../components/save'
import { Tabs } from '../../components/tabs'
import {
  type Comparison,
  metricsOf,
  PLOTS,
  type PlotChoice,
  type PlotKind,
  plotOf,
  plotted,
} from '../../logic/comparison'
import { csv, type Table } from '../../logic/table'
import { place, setQuery } from '../../router'
import type { Drawn } from './chart'

/** The numbers of the versions, drawn. The address says which plot, of which metrics. */
export function Plots({ found, name }: { found: Comparison; name: string }) {
  const metrics = useMemo(() => metricsOf(found), [found])
  const plot = plotOf(place.value.query, metrics)
  const table = useMemo(() => plotted(found, plot), [found, JSON.stringify(plot)])
  if (!metrics.length) return null
  return (
    <section>
      <h2>Plots</h2>
      <Tabs label="Plots" tabs={PLOTS} now={plot.kind} onPick={(kind) => setQuery((query) => query.set('plot', kind))}>
        <Choices plot={plot} metrics={metrics} />
        <Picture kind={plot.kind} table={table} file={`${name} ${table.head.slice(1).join(' ')}`} />
      </Tabs>
    </section>
  )
}

function Choices({ plot, metrics }: { plot: PlotChoice; metrics: string[] }) {
  if (plot.kind === 'line' || plot.kind === 'scatter') {
    return (
      <div class="row">
        {plot.kind === 'scatter' && <Metric label="Across" name="x" now={plot.x} metrics={metrics} />}
        <Metric label={plot.kind === 'scatter' ? 'Upwards' : 'Metric'} name="y" now={plot.y} metrics={metrics} />
      </div>
    )
  }
  const toggle = (metric: string) =>
    setQuery((query) => {
      const next = plot.metrics.includes(metric)
        ? plot.metrics.filter((each) => each !== metric)
        : [...plot.metrics, metric]
      query.delete('m')
      for (const each of next) query.append('m', each)
    })
  return (
    <fieldset class="row many">
      <legend>Metrics</legend>
      {metrics.map((metric) => (
        <label key={metric} class="check">
          <input type="checkbox" checked={plot.metrics.includes(metric)} onChange={() => toggle(metric)} />
          {metric}
        </label>
      ))}
    </fieldset>
  )
}

interface MetricProps {
  label: string
  name: string
  now: string
  metrics: string[]
}

function Metric({ label, name, now, metrics }: MetricProps) {
  return (
    <label class="narrow-choice">
      {label}
      <select value={now} onChange={(event) => setQuery((query) => query.set(name, event.currentTarget.value))}>
        {metrics.map((metric) => (
          <option key={metric}>{metric}</option>
        ))}
      </select>
    </label>
  )
}

function Picture({ kind, table, file }: { kind: PlotKind; table: Table; file: string }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const drawn = useRef<Drawn | null>(null)
  const [failed, setFailed] = useState(false)
  const dark = useMedia('(prefers-color-scheme: dark)') // the plot is drawn again when that changes
  useEffect(() => {
    let gone = false
    import('./chart').then(
      ({ draw }) => {
        if (!gone && canvas.current) drawn.current = draw(canvas.current, kind, table)
      },
      () => setFailed(true),
    )
    return () => {
      gone = true
      drawn.current?.remove()
      drawn.current = null
    }
  }, [kind, table, dark])
  const savePicture = async () => {
    const picture = await drawn.current?.png()
    if (picture) save(`${file}.png`, picture)
    else notify('The picture cannot be made.')
  }
  return (
    <>
      {failed && <Problem>The plot cannot be loaded. The table below has its values.</Problem>}
      <div class="plot">
        <canvas ref={canvas} role="img" aria-label={`Plot of ${table.head.slice(1).join(', ')} of the versions`} />
      </div>
      <div class="actions">
        <button type="button" class="small" onClick={savePicture}>
          Save as PNG
        </button>
        <button
          type="button"
          class="small"
          onClick={() => save(`${file}.csv`, new Blob([csv(table)], { type: 'text/csv' }))}
        >
          Save as CSV
        </button>
      </div>
      <details>
        <summary>The values as a table</summary>
        <Scroll label="Values of the plot">
          <table>
            <thead>
              <tr>
                {table.head.map((name) => (
                  <th key={name}>{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row) => (
                <tr key={String(row[0])}>
                  {row.map((cell, index) => (
                    <td key={table.head[index]} class={index ? 'number' : ''}>
                      {cell === null ? '' : value(cell)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </>
  )
}
