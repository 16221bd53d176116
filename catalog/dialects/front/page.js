'use strict'

const ROUTE = '#/passwordreset?'
const form = document.getElementById('reset')
const send = document.getElementById('send')
const told = document.getElementById('told')

const tell = (sentence) => { told.textContent = sentence }

const wanted = () => {
  const asked = new URLSearchParams(location.hash.slice(ROUTE.length))
  return { reset: asked.get('token'), tenant: asked.get('tenant') }
}

const open = () => {
  if (!location.hash.startsWith(ROUTE)) return
  const { reset, tenant } = wanted()
  form.hidden = !reset || !tenant
  tell(form.hidden ? 'This link is not whole. Copy all of it from the mail.' : '')
}

const why = (status, refusal) => {
  if ([9, 17].includes(refusal.value)) return 'This link was used already, or its time is over. Ask for another mail.'
  if (status === 429) return 'There were too many attempts. Wait a moment, and try again.'
  return refusal.details || refusal.message || `The server answered ${status}. Try again later.`
}

const change = async (password) => {
  try {
    const answer = await fetch(`${document.body.dataset.api}/self`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      credentials: 'omit',
      body: JSON.stringify({ ...wanted(), password }),
    })
    if (!answer.ok) return why(answer.status, await answer.json().catch(() => ({})))
  } catch {
    return 'The server cannot be reached. Try again later.'
  }
  form.hidden = true
  history.replaceState(null, '', location.pathname)
  return 'The password is changed. Sign in with the new one.'
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const [password, again] = ['password', 'again'].map((name) => document.getElementById(name).value)
  if (password !== again) return tell('The two passwords are not the same.')
  send.disabled = true
  tell(await change(password))
  send.disabled = false
})

addEventListener('hashchange', open)
open()
