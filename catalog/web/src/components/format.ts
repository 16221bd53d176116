/** Values as people read them. */
import * as clock from '../api/clock'

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

export function size(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit && value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`
}

const STEPS: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, 'second'],
  [60, 'minute'],
  [24, 'hour'],
  [30, 'day'],
  [12, 'month'],
  [Number.POSITIVE_INFINITY, 'year'],
]
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })

export function age(moment: string, now = clock.now()): string {
  let value = (Date.parse(moment) - now) / 1000
  for (const [count, unit] of STEPS) {
    if (Math.abs(value) < count) return RELATIVE.format(Math.round(value), unit)
    value /= count
  }
  return moment
}

export const date = (moment: string): string =>
  new Date(moment).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })

/** Large counts have separators; a year has none. */
function number(of: number): string {
  if (!Number.isInteger(of)) return String(Number(of.toPrecision(6)))
  return Math.abs(of) < 10_000 ? String(of) : of.toLocaleString('en')
}

export function value(of: unknown): string {
  if (typeof of === 'number') return number(of)
  return typeof of === 'boolean' ? (of ? 'yes' : 'no') : String(of)
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`

export const seconds = (count: number): string => {
  if (!Number.isFinite(count)) return ''
  if (count < 60) return `${Math.ceil(count)} s`
  return count < 3600 ? `${Math.ceil(count / 60)} min` : `${(count / 3600).toFixed(1)} h`
}
