import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { call, enter, signIn, tokenOf, URL_ } from './support.mjs'
import { openIris, people, scenario } from './world.mjs'

scenario(
  'a wrong password is a sentence, and the session survives a reload and ends with a sign-out',
  async ({ page }) => {
    await page.goto(`${URL_}/`)
    await page.getByLabel('Username').fill('ada')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    assert.match(await page.getByRole('alert').textContent(), /\w+ \w+/)

    await signIn(page)
    await page.reload()
    await page.getByLabel('Search', { exact: true }).waitFor()
    assert.equal(await page.evaluate(() => localStorage.length), 0)

    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Password').waitFor()
  },
)

scenario('who has forgotten the password chooses a new one behind the link of a mail', async ({ page }) => {
  await page.goto(`${URL_}/`)
  await page.getByRole('button', { name: 'Forgot your password?' }).click()
  await page.waitForFunction(() => document.querySelector('[name=tenant]').value)
  await page.getByLabel('E-mail').fill('carol@example.org')
  await page.getByRole('button', { name: 'Send a mail' }).click()
  await page.getByText('a mail is on its way').waitFor()
  let link
  while (!link) {
    // Without a mail server the link is in the log.
    link = /#\/passwordreset\?[\w=&%.-]+/.exec(readFileSync(process.env.CATALOG_LOG, 'utf8'))
    await page.waitForTimeout(50)
  }
  await page.goto(`${URL_}/${link[0]}`)
  await page.getByLabel('New password').fill('Engine-No-3')
  await page.getByRole('button', { name: 'Change the password' }).click()
  await page.getByText('Your password is changed.').waitFor()
  assert.ok(await tokenOf('carol', 'Engine-No-3'))
})

scenario('the link of a mail leads to a new password, and an incomplete one is a sentence', async ({ page }) => {
  await page.goto(`${URL_}/#/passwordreset?tenant=acme`)
  await page.getByText('This link is incomplete').waitFor()
  await page.goto(`${URL_}/#/passwordreset?token=${'0'.repeat(24)}&tenant=acme`)
  await page.getByLabel('New password').fill('Engine-No-2')
  await page.getByRole('button', { name: 'Change the password' }).click()
  assert.match(await page.getByRole('alert').textContent(), /\w+ \w+/)
})

scenario('an expired session asks for the password, and what was typed is still there', async ({ page }) => {
  await openIris(page)
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Description').fill('typed before the session ended')
  let refused = 0
  await page.route('**/v1/models/*', (route) =>
    refused++ ? route.continue() : route.fulfill({ status: 401, json: { message: 'The token has expired' } }),
  )
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Your session has expired').waitFor()
  await page.getByLabel('Password of ada').fill('Engine-No-1')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByText('Saved.').waitFor()
  assert.equal((await call('GET', '/v1/models/iris', null, people.ada)).description, 'typed before the session ended')
})

scenario('what is gone or was never there is a sentence, and so is a change of it', async ({ page }) => {
  await call('POST', '/v1/models', { name: 'mayfly' }, people.ada)
  await enter(page)
  await page.goto(`${URL_}/#/models/mayfly`)
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Description').fill('typed before it was removed')
  await call('DELETE', '/v1/models/mayfly', null, people.ada)
  await page.getByRole('button', { name: 'Save' }).click()
  assert.match(await page.locator('dialog').getByRole('alert').textContent(), /not found/i)
  assert.equal(await page.getByLabel('Description').inputValue(), 'typed before it was removed')

  for (const view of [`models/${'a'.repeat(24)}`, 'models/iris/99', 'compare/models/none?which=1&which=2']) {
    await page.goto(`${URL_}/#/${view}`)
    assert.match(await page.getByRole('alert').first().textContent(), /not found/i)
  }
})

scenario('a server that is away is a sentence, and the next attempt succeeds', async ({ page, faults }) => {
  await enter(page)
  await page.goto(`${URL_}/`)
  await page.route('**/v1/search**', (route) => route.abort())
  await page.getByLabel('Search', { exact: true }).fill('iris')
  await page.getByText('The server cannot be reached').waitFor()
  assert.equal(await page.locator('.result').count(), 0) // those of the search before
  await page.unroute('**/v1/search**')
  await page.getByLabel('Search', { exact: true }).fill('iri')
  await page.locator('.results').getByRole('link', { name: 'iris', exact: true }).waitFor()
  await page.locator('.more').waitFor({ state: 'detached' }) // it goes on by itself, and nothing follows
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes('ERR_FAILED')))
})
