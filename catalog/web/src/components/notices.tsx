/** Sentences at the foot of the page. */
import { signal } from '@preact/signals'

/** What can be done about a notice. */
export interface Answer {
  label: string
  act: () => void
}

interface Notice {
  text: string
  answer?: Answer | undefined
}

export const undo = (act: () => void): Answer => ({ label: 'Undo', act })

const notice = signal<Notice | null>(null)
let timer = 0

const READ = 8000 // milliseconds
const ANSWERED = 20_000

/** A sentence at the foot of the page, for some seconds; longer where it can be answered. */
export function notify(text: string, answer?: Answer): void {
  notice.value = { text, answer }
  expire()
}

function expire(): void {
  clearTimeout(timer)
  const left = () => {
    notice.value = null
  }
  timer = window.setTimeout(left, notice.value?.answer ? ANSWERED : READ)
}

/** It stays as long as it has the focus. */
const stay = (): void => clearTimeout(timer)

export function Notices() {
  const shown = notice.value
  return (
    <div class="notices" role="status" aria-live="polite">
      {shown && (
        <p>
          {shown.text}
          {shown.answer && (
            <button
              type="button"
              class="small"
              onFocus={stay}
              onBlur={expire}
              onClick={() => {
                notice.value = null
                shown.answer?.act()
              }}
            >
              {shown.answer.label}
            </button>
          )}
        </p>
      )}
    </div>
  )
}
