import '../../styles/admin.css'
import { useTitle } from '../../components/title'
import { address } from '../../router'
import { session } from '../../session'
import { Groups } from './groups'
import { Journal } from './journal'
import { People } from './people'
import { RetentionView } from './retention'
import { Robots } from './robots'
import { Terms } from './terms'
import { UsageView } from './usage'

const PARTS: Record<string, [string, () => preact.JSX.Element]> = {
  people: ['People', People],
  groups: ['Groups', Groups],
  robots: ['Robots', Robots],
  usage: ['Usage', UsageView],
  retention: ['Retention', RetentionView],
  terms: ['Terms', Terms],
  journal: ['Journal', Journal],
}

/** What an administrator of the tenant does. */
export function Admin({ part }: { part: string }) {
  const [, Part] = (Object.hasOwn(PARTS, part) && PARTS[part]) || []
  useTitle(Object.hasOwn(PARTS, part) ? PARTS[part]?.[0] : undefined, 'Administration')
  if (!session.value?.isAdmin || !Part) {
    return (
      <section>
        <h1>Administration</h1>
        <p>{Part ? 'Only administrators see this.' : 'There is no such page.'}</p>
      </section>
    )
  }
  return (
    <section class="admin">
      <h1>Administration</h1>
      <nav aria-label="Administration" class="tabs">
        {Object.entries(PARTS).map(([key, [name]]) => (
          <a key={key} class="button" href={address(['admin', key])} aria-current={key === part ? 'page' : undefined}>
            {name}
          </a>
        ))}
      </nav>
      <Part />
      <p class="muted">
        The <a href={address(['operator'])}>operator of the server</a> manages tenants, quotas and the sweep.
      </p>
    </section>
  )
}
