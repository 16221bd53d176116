import { type AliasMove, api, content, type Item, type Kind } from '../../api/client'
import { Dialog } from '../../components/dialog'
import { submitted } from '../../components/forms'
import { useAction, useLoaded } from '../../components/hooks'
import { notify } from '../../components/notices'
import { Loading, Problem, When } from '../../components/parts'

interface Props {
  kind: Kind
  item: Item
  version: string
  onClose: () => void
  onChange: () => void
}

const aliasPath = (kind: Kind) => `/v1/${kind}/{key}/aliases/{alias}` as '/v1/models/{key}/aliases/{alias}'

/** Point aliases to a version, see where they pointed before, and go back. */
export function AliasDialog({ kind, item, version, onClose, onChange }: Props) {
  const { busy, error, run } = useAction()
  const done = (text: string) => {
    notify(text)
    onChange()
    onClose()
  }
  const point = (alias: string) =>
    run(async () => {
      const before = item.aliases.find((each) => each.name === alias)?.version
      const body = { version, ...(before !== undefined && { expected: before }) }
      await content(api.PUT(aliasPath(kind), { params: { path: { key: item._id, alias } }, body }))
      done(`@${alias} is version ${version}.`)
    })
  const submit = (event: SubmitEvent) => point(submitted(event).text('alias').replace(/^@/, ''))
  const remove = (alias: string) =>
    run(async () => {
      if (!confirm(`Remove @${alias}? What asks for it finds nothing then.`)) return
      await content(api.DELETE(aliasPath(kind), { params: { path: { key: item._id, alias } } }))
      done(`@${alias} is removed.`)
    })
  return (
    <Dialog title={`Aliases of version ${version}`} onClose={onClose}>
      <Problem>{error}</Problem>
      {item.aliases.map((alias) => (
        <section key={alias.name} class="alias-row">
          <strong>@{alias.name}</strong>
          {alias.version === version ? (
            <span class="muted">is this version</span>
          ) : (
            <button type="button" class="small" aria-disabled={busy} onClick={() => point(alias.name)}>
              Move here from version {alias.version}
            </button>
          )}
          <button type="button" class="small" aria-disabled={busy} onClick={() => remove(alias.name)}>
            Remove<span class="hidden"> @{alias.name}</span>
          </button>
          <History kind={kind} item={item} alias={alias.name} onBack={() => done(`@${alias.name} is back.`)} />
        </section>
      ))}
      <form class="row" onSubmit={submit}>
        <label>
          New alias
          <input
            name="alias"
            required
            autoComplete="off"
            pattern="@?[\w\-]+"
            title="Letters, digits, - and _"
            placeholder="champion"
          />
        </label>
        <button type="submit" class="main" aria-disabled={busy}>
          Set
        </button>
      </form>
    </Dialog>
  )
}

function History({ kind, item, alias, onBack }: { kind: Kind; item: Item; alias: string; onBack: () => void }) {
  const { busy, error, run } = useAction()
  const loaded = useLoaded(
    async (signal) => {
      const params = { path: { key: item._id, alias }, query: { history: 'true' as const, limit: 10 } }
      const found = await content(api.GET(aliasPath(kind), { params, signal }))
      return 'docs' in found ? (found.docs as AliasMove[]) : []
    },
    [alias],
  )
  const back = () =>
    run(async () => {
      const path = `${aliasPath(kind)}/rollback` as '/v1/models/{key}/aliases/{alias}/rollback'
      await content(api.POST(path, { params: { path: { key: item._id, alias } } }))
      onBack()
    })
  return (
    <details>
      <summary>History</summary>
      <Problem>{error}</Problem>
      <Loading of={loaded}>
        {(moves) => (
          <>
            <ol class="moves">
              {moves.map((move) => (
                <li key={move._id}>
                  {move.previous ?? 'new'} → {move.version ?? 'removed'}{' '}
                  <span class="muted">
                    by {typeof move.user === 'string' ? move.user : move.user.username}, <When moment={move.moved} />
                  </span>
                </li>
              ))}
            </ol>
            {moves.length > 1 && (
              <button type="button" aria-disabled={busy} onClick={back}>
                Go back to version {moves[0]?.previous}
              </button>
            )}
          </>
        )}
      </Loading>
    </details>
  )
}
