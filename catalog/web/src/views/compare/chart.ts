/** Plots, drawn by Chart.js from tables. This module is fetched with it, when the first plot is shown. */
import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartConfiguration,
  type ChartDataset,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  ScatterController,
  Tooltip,
} from 'chart.js'
import { value } from '../../components/format'
import { heights, type PlotKind } from '../../logic/comparison'
import type { Table } from '../../logic/table'

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  ScatterController,
  Tooltip,
)

/** Series differ in their shape and their dashes as well as in their colour. */
const SHAPES = ['circle', 'triangle', 'rect', 'rectRot', 'star', 'cross', 'crossRot', 'rectRounded'] as const
const DASHES = [[], [6, 3], [2, 3], [8, 3, 2, 3], [], [6, 3], [2, 3], [8, 3, 2, 3]]
const COLOURS = 8

export interface Drawn {
  png: () => Promise<Blob | null>
  remove: () => void
}

interface Theme {
  text: string
  muted: string
  line: string
  ground: string
  series: string[]
}

function theme(): Theme {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    text: of('text'),
    muted: of('muted'),
    line: of('line'),
    ground: of('ground'),
    series: Array.from({ length: COLOURS }, (_, index) => of(`series-${index + 1}`)),
  }
}

export function draw(canvas: HTMLCanvasElement, kind: PlotKind, table: Table): Drawn {
  const colours = theme()
  const chart = new Chart(canvas, { ...CONFIGURATIONS[kind](table, colours), plugins: [ground(colours)] })
  return {
    png: () => new Promise((resolve) => canvas.toBlob(resolve, 'image/png')),
    remove: () => chart.destroy(),
  }
}

/** The ground of the page behind the plot, so that a saved picture is readable everywhere. */
const ground = (colours: Theme) => ({
  id: 'ground',
  beforeDraw: ({ ctx, width, height }: Chart) => {
    ctx.save()
    ctx.fillStyle = colours.ground
    ctx.fillRect(0, 0, width, height)
    ctx.restore()
  },
})

const CONFIGURATIONS: Record<PlotKind, (table: Table, colours: Theme) => ChartConfiguration> = {
  line,
  profile,
  bars,
  scatter,
}

function line({ head, rows }: Table, colours: Theme): ChartConfiguration {
  const data = rows.map((row) => row[1] as number | null)
  const series = { label: head[1] ?? '', data, spanGaps: true, ...look(0, colours), borderDash: [] }
  return {
    type: 'line',
    data: { labels: rows.map((row) => String(row[0])), datasets: [series] },
    options: { ...shared(colours, false), scales: { x: axis('version', colours), y: axis(head[1] ?? '', colours) } },
  }
}

/** Parallel coordinates: each metric has its own range, from its smallest to its largest value. */
function profile({ head, rows }: Table, colours: Theme): ChartConfiguration {
  const metrics = head.slice(1)
  const ranges = metrics.map((_, index) => {
    const values = rows.map((row) => row[index + 1]).filter((each) => typeof each === 'number')
    return { least: Math.min(...values), most: Math.max(...values) }
  })
  const datasets = rows.map((row, index): ChartDataset => {
    const data = ranges.map(({ least, most }, metric) => {
      const number = row[metric + 1]
      if (typeof number !== 'number') return null
      return most === least ? 0.5 : (number - least) / (most - least)
    })
    return { label: String(row[0]), data, spanGaps: true, ...look(index, colours) }
  })
  const names = metrics.map((name, index) => [
    name,
    `${value(ranges[index]?.least)} to ${value(ranges[index]?.most)}`,
  ]) as unknown as string[]
  return {
    type: 'line',
    data: { labels: names, datasets },
    options: {
      ...shared(colours, true, (series, metric) => sentenceOf({ head, rows }, series, metric)),
      scales: {
        x: axis('', colours),
        y: { ...axis('minimum to maximum of each metric', colours), min: -0.05, max: 1.05, ticks: { display: false } },
      },
    },
  }
}

/** Grouped bars: a group for each metric, in it a bar for each version. */
function bars({ head, rows }: Table, colours: Theme): ChartConfiguration {
  const { isShare, rows: tall } = heights({ head, rows })
  const datasets = rows.map((row, index): ChartDataset => {
    const { borderColor, backgroundColor } = look(index, colours)
    return { label: String(row[0]), data: tall[index] ?? [], borderColor, backgroundColor, pointStyle: 'rect' }
  })
  const told = (series: string, metric: number) => sentenceOf({ head, rows }, series, metric)
  const upwards = axis(isShare ? 'share of the largest value of each metric' : '', colours)
  return {
    type: 'bar',
    data: { labels: head.slice(1), datasets },
    options: { ...shared(colours, true, told), scales: { x: axis('', colours), y: { ...upwards, beginAtZero: true } } },
  }
}

/** The value of a series, as the tooltip shows it. */
const sentenceOf = ({ head, rows }: Table, series: string, metric: number): string =>
  `${head[metric + 1]} of ${series}: ${value(rowOf(rows, series)[metric + 1])}`

const rowOf = (rows: Table['rows'], label: string) => rows.find((row) => row[0] === label) ?? []

function scatter({ head, rows }: Table, colours: Theme): ChartConfiguration {
  const datasets = rows.map((row, index): ChartDataset => {
    const [label, x, y] = row
    const data = typeof x === 'number' && typeof y === 'number' ? [{ x, y }] : []
    return { type: 'scatter', label: String(label), data, ...look(index, colours), pointRadius: 7 }
  })
  return {
    type: 'scatter',
    data: { datasets },
    options: { ...shared(colours, true), scales: { x: axis(head[1] ?? '', colours), y: axis(head[2] ?? '', colours) } },
  }
}

function look(index: number, { series }: Theme) {
  const colour = series[index % COLOURS] ?? 'gray'
  return {
    borderColor: colour,
    backgroundColor: colour,
    borderDash: DASHES[index % COLOURS] ?? [],
    borderWidth: 2,
    pointStyle: SHAPES[index % COLOURS] ?? 'circle',
    pointRadius: 5,
    pointHoverRadius: 7,
  }
}

const axis = (text: string, { muted, line: grid }: Theme) => ({
  title: { display: Boolean(text), text, color: muted },
  ticks: { color: muted },
  grid: { color: grid },
})

function shared(colours: Theme, hasLegend: boolean, sentence?: (series: string, index: number) => string) {
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false as const, // a picture that is saved at once shows the values
    color: colours.text,
    font: { family: 'system-ui, sans-serif' },
    plugins: {
      legend: {
        display: hasLegend,
        position: 'bottom' as const,
        labels: { usePointStyle: true, boxHeight: 8, color: colours.text },
      },
      tooltip: {
        ...(sentence && {
          callbacks: {
            title: () => '',
            label: (at: { dataset: { label?: string | undefined }; dataIndex: number }) =>
              sentence(at.dataset.label ?? '', at.dataIndex),
          },
        }),
      },
    },
  }
}
