import { seconds, size } from '../../components/format'
import { address } from '../../router'
import { amount, running, waiting } from '../../upload/current'
import type { Part, Phase } from '../../upload/part'

const PHASES: Partial<Record<Phase, string>> = {
  waiting: 'waiting',
  hashing: 'computing the digest',
  interrupted: 'the server is away, trying again',
}
const SHOWN = 12

/** How far the upload that runs is. */
export function Progress() {
  const parts = running.value?.parts ?? []
  const { all, sent } = amount.value
  const speed = parts.reduce((sum, each) => sum + (each.phase.value === 'sending' ? each.speed.value : 0), 0)
  const files = (some: Part[]) => some.reduce((sum, each) => sum + each.files, 0)
  const done = files(parts.filter((each) => each.phase.value === 'done'))
  const active = parts.filter((each) => each.phase.value !== 'waiting' && each.phase.value !== 'done')
  return (
    <section aria-label="Progress" class="wide-form">
      <label>
        {size(sent)} of {size(all)}
        {files(parts) > 1 && ` · ${done.toLocaleString('en')} of ${files(parts).toLocaleString('en')} files`}
        {speed > 0 && ` · ${size(speed)}/s · ${seconds((all - sent) / speed)} left`}
        <progress value={sent} max={all || 1} />
      </label>
      <ul class="plain">
        {active.slice(0, SHOWN).map((each) => (
          <One key={each.label} part={each} />
        ))}
      </ul>
      {waiting.value && (
        <p class="notice warning" role="status">
          The server cannot be reached. The upload continues by itself when the server is back.
        </p>
      )}
      <p class="muted">
        Keep this page open; you can use its other views in the meantime. If it closes, choose the same files again at{' '}
        <a href={address(['upload'])}>Upload</a>: what has arrived is not sent again.
      </p>
    </section>
  )
}

function One({ part }: { part: Part }) {
  const phase = part.phase.value
  return (
    <li class="row">
      <span class="wide">{part.label}</span>
      <span class="muted">{PHASES[phase] ?? phase}</span>
      {(phase === 'sending' || phase === 'interrupted') && (
        <button type="button" class="small" onClick={() => part.pause()}>
          Pause
        </button>
      )}
      {phase === 'paused' && (
        <button type="button" class="small" onClick={() => part.resume()}>
          Resume
        </button>
      )}
    </li>
  )
}

/** In the header of other views. */
export function UploadChip() {
  if (!running.value) return null
  const { all, sent } = amount.value
  return (
    <a class="chip" href={address(['upload'])}>
      Uploading: {Math.floor((100 * sent) / (all || 1))} %
    </a>
  )
}
