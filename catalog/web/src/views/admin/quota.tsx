import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { api, content } from '../../api/client'
import { size } from '../../components/format'
import { percentOf, type Usage } from '../../logic/usage'
import { address } from '../../router'

const FIRST_LOOK = 2000 // milliseconds, after what the user came for
const EVERY = 10 * 60_000

const near = signal<Usage | null>(null)

/** Tells administrators that the quota is nearly used up. */
export function QuotaChip() {
  useEffect(() => {
    const look = () =>
      content(api.GET('/v1/usage')).then(
        (usage) => {
          near.value = usage.near_quota ? usage : null
        },
        () => undefined, // the views say what is wrong with the server
      )
    const first = setTimeout(look, FIRST_LOOK)
    const again = setInterval(look, EVERY)
    return () => {
      clearTimeout(first)
      clearInterval(again)
    }
  }, [])
  const usage = near.value
  if (!usage) return null
  return (
    <a
      class="chip warn quota"
      href={address(['admin', 'usage'])}
      title={`${size(usage.bytes)} of ${size(usage.quota_bytes)}`}
    >
      {percentOf(usage)} % of the quota is used
    </a>
  )
}

/** The same, with what to do about it, in the view of the usage. */
export function QuotaWarning({ usage }: { usage: Usage }) {
  if (!usage.near_quota) return null
  return (
    <div class="notice warning" role="status">
      <p>
        <strong>{percentOf(usage)} % of the quota is used.</strong> Uploads are refused when it is used up.
      </p>
      <p>
        <a href={address(['trash'])}>Empty the trash</a>, or let <a href={address(['admin', 'retention'])}>retention</a>{' '}
        remove old versions. What is removed makes room at the next sweep. The operator of the server sets the quota.
      </p>
    </div>
  )
}
