import { useState } from 'preact/hooks'
import { api, content } from '../../api/client'
import { plural, size } from '../../components/format'
import { submitted } from '../../components/forms'
import { useAction, useLoaded } from '../../components/hooks'
import { notify } from '../../components/notices'
import { Loading, Problem, When } from '../../components/parts'
import { Table } from '../../components/table'
import { type Applied, type Policy, policyOf, RULES, type Rule, shownRule } from '../../logic/retention'
import { address } from '../../router'
import { OldVersions } from '../item/old-versions'

/** What the tenant keeps, and for how long. */
export function RetentionView() {
  const loaded = useLoaded((signal) => content(api.GET('/v1/retention', { signal })), [])
  return (
    <>
      <h2>Retention</h2>
      <p class="muted">
        The sweep, which runs by itself, removes what exceeds these limits. An item can have a limit of its own.
        Versions with an alias, and those that are deployed, pinned, staged or an input of others, always stay.
      </p>
      <Loading of={loaded}>{(policy) => <Rules policy={policy} onSaved={loaded.reload} />}</Loading>
      <Apply />
    </>
  )
}

function Rules({ policy, onSaved }: { policy: Policy; onSaved: () => void }) {
  const { busy, error, run } = useAction()
  const submit = (event: SubmitEvent) => {
    const { text } = submitted(event)
    run(async () => {
      await content(api.PUT('/v1/retention', { body: policyOf(text) }))
      notify('The policy is saved. The sweep applies it.')
      onSaved()
    })
  }
  return (
    <form class="stack wide-form" onSubmit={submit}>
      <Problem>{error}</Problem>
      <div class="pairs">
        {(Object.keys(RULES) as Rule[]).map((rule) => (
          <label key={rule}>
            {RULES[rule].label}
            <input
              name={rule}
              defaultValue={shownRule(rule, policy)}
              placeholder={RULES[rule].empty}
              inputMode={RULES[rule].unit ? 'text' : 'numeric'}
              autoComplete="off"
            />
          </label>
        ))}
      </div>
      <p>
        <button type="submit" class="main" aria-disabled={busy}>
          Save the policy
        </button>
      </p>
    </form>
  )
}

/** What the policies would remove, and a button that does it. */
function Apply() {
  const { busy, error, run } = useAction()
  const [found, setFound] = useState<Applied | null>(null)
  const apply = (isDry: boolean) =>
    run(async () => {
      if (!isDry && !confirm('Remove for good what the policies do not keep?')) return
      const query = isDry ? { dry_run: 'true' as const } : {}
      setFound(await content(api.POST('/v1/retention/apply', { params: { query } })))
    })
  return (
    <section>
      <h2>What would be removed</h2>
      <p class="muted">By the saved policies of the organisation and of its items.</p>
      <p class="actions">
        <button type="button" aria-disabled={busy} onClick={() => apply(true)}>
          {busy ? 'Working…' : 'Show what would be removed'}
        </button>
        <button type="button" disabled={!found} aria-disabled={busy} onClick={() => apply(false)}>
          Remove it now
        </button>
      </p>
      <Problem>{error}</Problem>
      {found && <Found found={found} />}
    </section>
  )
}

function Found({ found }: { found: Applied }) {
  if (!found.versions.length && !found.trash.length && !found.log && !found.terms) {
    return <p role="status">{found.dry_run ? 'Nothing would be removed.' : 'There was nothing to remove.'}</p>
  }
  const counts = [
    plural(found.versions.length, 'version'),
    `${plural(found.trash.length, 'item')} of the trash`,
    `${plural(found.log, 'entry', 'entries')} of the journal`,
    plural(found.terms, 'unused term'),
  ]
  return (
    <>
      <p role="status">
        {found.dry_run ? 'This would be removed: ' : 'This was removed: '}
        {counts.join(', ')}.{found.more && ' There is more: repeat it, or leave it to the sweep.'}
      </p>
      {found.versions.length > 0 && <OldVersions versions={found.versions} isDry={found.dry_run} hasItems />}
      {found.trash.length > 0 && (
        <Table
          label="Items of the trash"
          head={['Item of the trash', 'Size', 'Deleted']}
          tall={found.trash.length > 12}
        >
          {found.trash.map((item) => (
            <tr key={item._id}>
              <td>{found.dry_run ? <a href={address(['trash'])}>{item.name}</a> : item.name}</td>
              <td class="number">{size(item.size)}</td>
              <td>
                <When moment={item.removed} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  )
}
