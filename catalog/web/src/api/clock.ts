/** The time of the server. The clock of this machine may be wrong by hours. */

const TOLERATED = 60_000 // milliseconds: how old an answer may be, and the seconds of its date

let offset = 0

/** Take the time from an answer of the server. */
export function setClock(answer: Response): void {
  const date = Date.parse(answer.headers.get('date') ?? '')
  if (Number.isNaN(date)) return
  const difference = date - Date.now()
  offset = Math.abs(difference) > TOLERATED ? difference : 0
}

/** Milliseconds since the epoch. */
export const now = (): number => Date.now() + offset
