import { useLayoutEffect, useRef } from 'preact/hooks'
import { signOut } from './api/client'
import { Brand } from './components/brand'
import { Dialog } from './components/dialog'
import { lazy } from './components/lazy'
import { Notices } from './components/notices'
import { useTitle } from './components/title'
import { address, place } from './router'
import { expired, session } from './session'
import { QuotaChip } from './views/admin/quota'
import { CatalogView } from './views/find/catalog'
import { ItemView } from './views/item/item'
import { isKind } from './views/paths'
import { Account } from './views/session/account'
import { Reset } from './views/session/reset'
import { SignIn, SignInForm } from './views/session/sign-in'
import { Trash } from './views/trash'
import { UploadChip } from './views/upload/progress'
import { Upload } from './views/upload/upload'
import { VersionView } from './views/version/version'

const Compare = lazy(async () => (await import('./views/compare/compare')).Compare)
const LineageView = lazy(async () => (await import('./views/lineage/lineage')).LineageView)
const Admin = lazy(async () => (await import('./views/admin/admin')).Admin)
const Operator = lazy(async () => (await import('./views/admin/operator')).Operator)

export function App() {
  const { path } = place.value
  const now = session.value
  useArrival(path.join('/'))
  if (path[0] === 'passwordreset') return <Reset />
  if (path[0] === 'operator') return <Operator />
  if (!now) return <SignIn />
  return (
    <>
      <button type="button" class="skip" onClick={focusMain}>
        Skip to content
      </button>
      <header class="bar">
        <Brand />
        <nav aria-label="Main">
          <Entry to={[]}>Find</Entry>
          <Entry to={['upload']}>Upload</Entry>
          <Entry to={['trash']}>Trash</Entry>
          {now.isAdmin && <Entry to={['admin']}>Admin</Entry>}
          <a class="own" href={address(['account'])} aria-current={path[0] === 'account' ? 'page' : undefined}>
            <span class="hidden">Your account: </span>
            {now.username}
          </a>
        </nav>
        {path[0] !== 'upload' && <UploadChip />}
        {now.isAdmin && <QuotaChip />}
        <button type="button" class="small" onClick={signOut}>
          Sign out
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <View />
      </main>
      <Notices />
      {expired.value && (
        <Dialog title="Your session has expired">
          <p>Sign in again to continue. What you have typed is still here.</p>
          <SignInForm tenant={now.tenant} username={now.username} />
          <button type="button" class="quiet" onClick={signOut}>
            Sign in as another user
          </button>
        </Dialog>
      )}
    </>
  )
}

function focusMain() {
  document.getElementById('main')?.focus()
}

/** A new view begins at its top, and is where the keyboard goes on. */
function useArrival(view: string) {
  const before = useRef(view)
  useLayoutEffect(() => {
    if (before.current === view) return
    before.current = view
    scrollTo(0, 0)
    document.getElementById('main')?.focus({ preventScroll: true })
  }, [view])
}

function Entry({ to, children }: { to: string[]; children: string }) {
  const isHere = (place.value.path[0] ?? '') === (to[0] ?? '')
  return (
    <a href={address(to)} aria-current={isHere ? 'page' : undefined}>
      {children}
    </a>
  )
}

function View() {
  const [first = '', key, which] = place.value.path
  if (isKind(first) && key && which)
    return <VersionView key={`${key}@${which}`} kind={first} item={key} which={which} />
  if (isKind(first) && key) return <ItemView key={key} kind={first} reference={key} />
  if (first === 'compare' && isKind(key) && which) return <Compare key={which} kind={key} item={which} />
  if (first === 'lineage' && isKind(key) && which) return <LineageView key={which} kind={key} item={which} />
  switch (first) {
    case '':
      return <CatalogView />
    case 'upload':
      return <Upload />
    case 'trash':
      return <Trash />
    case 'admin':
      return <Admin part={key ?? 'people'} />
    case 'account':
      return <Account />
    default:
      return <Nowhere />
  }
}

function Nowhere() {
  useTitle('There is no such page')
  return (
    <section>
      <h1>There is no such page</h1>
      <p>
        <a href={address([])}>Find models and datasets</a>
      </p>
    </section>
  )
}
