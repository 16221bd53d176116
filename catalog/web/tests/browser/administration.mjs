import assert from 'node:assert/strict'
import { ADMIN, API_TOKEN, addVersion, call, enter, TENANT, tokenOf, URL_ } from './support.mjs'
import { people, scenario } from './world.mjs'

scenario('an administrator adds a person to a group, merges terms, and finds it in the journal', async ({ page }) => {
  await call('POST', '/v1/models', { name: 'tulips', tags: ['flower'], visibility: 'public' }, people.ada)
  await enter(page, 'admin', ADMIN)
  await page.goto(`${URL_}/#/admin/people`)
  await page.getByText('Add a person').click()
  await page.getByLabel('Username').fill('grace')
  await page.getByLabel('E-mail').fill('grace@example.org')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  const password = await page.locator('.notice pre').textContent()
  assert.ok(await tokenOf('grace', password))

  await page.getByRole('link', { name: 'Groups' }).click()
  await page.getByLabel('Name', { exact: true }).fill('vision')
  await page.getByRole('button', { name: 'Add a group' }).click()
  await page.getByLabel('Add a member to vision', { exact: true }).pressSequentially('gra')
  await page.getByRole('option', { name: 'grace' }).click()
  await page.getByText('1 member').waitFor()

  await page.getByRole('link', { name: 'Terms' }).click()
  await page.getByRole('button', { name: 'Merge flower into another' }).click()
  const into = page.getByLabel('Merge into', { exact: true })
  await into.fill('flowers')
  await into.press('Enter')
  await page.getByRole('button', { name: 'Merge into flowers' }).click()
  await page.getByText('1 item now uses flowers.').waitFor()
  assert.deepEqual((await call('GET', '/v1/models/tulips', null, people.ada)).tags, ['flowers'])

  await page.getByRole('link', { name: 'Usage' }).click()
  await page.getByRole('link', { name: 'iris', exact: true }).waitFor()
  await page.getByRole('link', { name: 'Robots' }).click()
  await page.getByLabel('Name', { exact: true }).fill('nightly')
  await page.getByRole('button', { name: 'Add a robot' }).click()
  await page.getByText('expires in').waitFor()
  await isInTheJournal('/v1/tags/flower/merge')
  await page.goto(`${URL_}/#/admin/journal?method=POST&path=merge`)
  await page.getByText('/v1/tags/flower/merge').waitFor()
  await page.getByLabel('Method').selectOption('DELETE')
  await page.getByLabel('Path contains').fill('/v1/tags/unused')
  await page.getByText('There is no such entry.').waitFor()
  const admin = await tokenOf('admin', ADMIN)
  await call('POST', '/v1/tags', { _id: 'unused' }, admin)
  await call('DELETE', '/v1/tags/unused', null, admin)
  await isInTheJournal('/v1/tags/unused')
  await page.getByRole('button', { name: 'Refresh' }).click()
  await page.locator('tbody').getByText('/v1/tags/unused').waitFor()
})

scenario(
  'an administrator is warned of the quota, sets what is kept, and sees first what would be removed',
  async ({ page }) => {
    const admin = await tokenOf('admin', ADMIN)
    for (const bytes of ['one', 'two', 'six']) await addVersion(people.ada, 'cats', bytes, 'cats.txt')
    const { bytes } = await call('GET', '/v1/usage', null, admin)
    const path = `/v1/tenants/${encodeURIComponent(TENANT)}`
    await call('PUT', path, { quota_bytes: Math.ceil(bytes / 0.9) }, API_TOKEN)
    await enter(page, 'admin', ADMIN)
    await page.goto(`${URL_}/#/admin/retention`)
    await page.getByLabel('Newest versions of each item').fill('2')
    await page.getByLabel('Size of the trash').fill('10 GiB')
    await page.getByRole('button', { name: 'Save the policy' }).click()
    await page.getByText('The policy is saved.').waitFor()
    const { keep_versions, trash_bytes } = await call('GET', '/v1/retention', null, admin)
    assert.deepEqual([keep_versions, trash_bytes], [2, 10 * 2 ** 30])

    await page.getByRole('button', { name: 'Show what would be removed' }).click()
    await page.getByText(/This would be removed: \d versions?,/).waitFor()
    await page.getByRole('link', { name: 'cats' }).click()
    await page.getByRole('button', { name: 'Keep or remove old versions' }).click()
    await page.getByText('what the organisation keeps: the newest 2').waitFor()
    await page.getByLabel('only the newest').check()
    await page.getByLabel('How many').fill('1')
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Saved. The sweep applies it.').waitFor()
    await page.getByRole('button', { name: 'Show what would be removed' }).click()
    await page.getByText('2 versions, 6 B, would be removed.').waitFor()
    await page.getByRole('button', { name: 'Remove 2 versions for good' }).click()
    await page.getByText('2 versions, 6 B, were removed.').waitFor()
    await page.getByRole('button', { name: 'Close' }).click()

    await page.getByRole('link', { name: /% of the quota is used/ }).click()
    await page.getByText('Uploads are refused when it is used up.').waitFor()
    await call('PUT', '/v1/retention', {}, admin)
    await call('PUT', path, { quota_bytes: 0 }, API_TOKEN)
  },
)

scenario(
  'the operator adds a tenant, sets its quota, and removes it, with a token that is forgotten',
  async ({ page }) => {
    await page.goto(`${URL_}/#/operator`)
    await page.getByLabel('API_TOKEN').fill(API_TOKEN)
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('Add a tenant').click()
    await page.getByLabel('Name', { exact: true }).fill('acme')
    await page.getByLabel('E-mail').fill('it@acme.example')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    const acme = page.getByRole('region', { name: 'Tenant acme' })
    await acme.getByLabel('Quota').fill('10 GiB')
    await acme.getByRole('button', { name: 'Set' }).click()
    await page.getByText('acme is changed.').waitFor()
    assert.equal((await call('GET', '/v1/tenants/acme', null, API_TOKEN)).quota_bytes, 10 * 2 ** 30)
    await acme.getByRole('button', { name: 'Remove' }).click()
    await page.getByLabel('Type acme to confirm').fill('acme')
    await page.getByRole('button', { name: 'Remove for good' }).click()
    await acme.waitFor({ state: 'detached' })
    assert.equal(await page.evaluate(() => sessionStorage.length), 0)
    await page.reload()
    await page.getByLabel('API_TOKEN').waitFor()
  },
)

/** Wait for an entry, which is written a moment after the answer. */
async function isInTheJournal(path) {
  const admin = await tokenOf('admin', ADMIN)
  const filter = encodeURIComponent(JSON.stringify({ path }))
  while (!(await call('GET', `/v1/log?filter=${filter}`, null, admin)).docs.length) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
