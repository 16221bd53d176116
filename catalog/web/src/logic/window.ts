/** Which rows of a long list are near the screen. */

/** Where each row begins, in the unit of the heights; at the end, how tall all of them are. */
export function offsetsOf(heights: ArrayLike<number>): Float64Array {
  const offsets = new Float64Array(heights.length + 1)
  for (let index = 0; index < heights.length; index += 1) {
    offsets[index + 1] = (offsets[index] as number) + (heights[index] as number)
  }
  return offsets
}

/** The index of the row at a place. */
export function rowAt(offsets: Float64Array, at: number): number {
  let low = 0
  let high = Math.max(0, offsets.length - 2)
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((offsets[middle] as number) <= at) low = middle
    else high = middle - 1
  }
  return low
}

export interface Range {
  from: number
  to: number
}

/** The rows between two places, and some more on both sides, in steps: a scroll of some pixels changes nothing. */
export function rangeOf(offsets: Float64Array, top: number, bottom: number, spare: number, step: number): Range {
  const count = offsets.length - 1
  const from = Math.max(0, rowAt(offsets, top) - spare)
  const to = Math.min(count, rowAt(offsets, bottom) + 1 + spare)
  return { from: Math.floor(from / step) * step, to: Math.min(count, Math.ceil(to / step) * step) }
}
