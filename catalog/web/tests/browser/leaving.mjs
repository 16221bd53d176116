import assert from 'node:assert/strict'
import { call, enter, PASSWORD, tokenOf, URL_ } from './support.mjs'
import { scenario } from './world.mjs'

scenario('signing out everywhere ends the other sessions', async ({ page, context }) => {
  const bob = await tokenOf('bob')
  await enter(page, 'bob')
  await page.goto(`${URL_}/#/account`)
  const copy = await context.newPage() // it gets the session from the first tab
  await copy.goto(`${URL_}/#/trash`)
  await copy.getByText('The trash is empty').waitFor()
  const other = await context.browser().newContext()
  const tab = await other.newPage()
  await enter(tab, 'bob')
  await tab.goto(`${URL_}/#/trash`)
  await tab.getByText('The trash is empty').waitFor()
  page.once('dialog', (dialog) => dialog.accept())
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.getByLabel('Organisation').waitFor()
  await copy.getByLabel('Organisation').waitFor()
  await tab.getByRole('link', { name: 'Find' }).click()
  await tab.getByText('Your session has expired').waitFor()
  await tab.getByLabel('Password of bob').fill(PASSWORD)
  await tab.getByRole('button', { name: 'Sign in', exact: true }).click()
  await tab.getByRole('link', { name: 'iris', exact: true }).waitFor()
  await assert.rejects(call('GET', '/v1/models', null, bob), /401/)
  await other.close()
})
