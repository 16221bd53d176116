import assert from 'node:assert/strict'
import { addVersion, call, enter, SHOTS, URL_ } from './support.mjs'
import { openIris, people, scenario } from './world.mjs'

const HOSTILE = '<img src=x onerror="document.title=1">"\'&{{7*7}}'

scenario('a search narrows by a tag that is completed by keyboard, and back takes it away', async ({ page }) => {
  await enter(page)
  await page.goto(`${URL_}/`)
  await page.getByRole('link', { name: 'cats' }).waitFor()
  await page.evaluate(() => {
    globalThis.moved = 0
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.moved += entry.value
    }).observe({ type: 'layout-shift' })
  })
  await page.getByLabel('Tag', { exact: true }).pressSequentially('flo')
  await page.getByRole('option', { name: /flowers/ }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')

  await page.getByRole('link', { name: 'cats' }).waitFor({ state: 'detached' })
  assert.equal(new URL(page.url()).hash, '#/?tag=flowers')

  await page.goBack()
  await page.getByRole('link', { name: 'cats' }).waitFor()

  await page
    .getByRole('button', { name: /^animals 2/ })
    .last()
    .waitFor() // counted without a text
  await page.getByLabel('Search', { exact: true }).fill('bird-s')
  await page.locator('.suggestions').getByRole('link', { name: 'bird-songs' }).waitFor()
  await page.getByLabel('Search', { exact: true }).fill('anim')
  await page.keyboard.press('Tab')
  await page
    .locator('.suggestions')
    .getByRole('button', { name: /^animals/ })
    .click()
  await page.getByRole('link', { name: 'roses' }).waitFor({ state: 'detached' })
  assert.equal(new URL(page.url()).hash, '#/?tag=animals')
  assert.ok((await page.evaluate(() => globalThis.moved)) < 0.02) // the rows of a new list are new

  await page.locator('.result', { hasText: 'cats' }).getByRole('link', { name: 'vision' }).press('Enter')
  await page.getByRole('link', { name: 'bird-songs' }).waitFor({ state: 'detached' })
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'vision') // the focus stays

  await page.evaluate(() => {
    const { replaceState } = history
    history.replaceState = (...state) => {
      replaceState.apply(history, state)
      if (!location.hash.includes('q=bird-s')) return
      const field = document.getElementById('search') // a key is pressed just as the address gets what was typed before
      field.value = 'bird-song'
      field.dispatchEvent(new Event('input', { bubbles: true }))
    }
  })
  await page.getByLabel('Search', { exact: true }).fill('bird-s')
  await page.waitForFunction(() => location.hash.endsWith('q=bird-song'))
})

scenario('versions are sorted by a metric, and an alias is moved and rolled back', async ({ page }) => {
  await openIris(page)
  await page.getByRole('button', { name: /^accuracy/ }).click()
  assert.match(await page.locator('tbody tr').first().textContent(), /^2/)
  await page.getByText('Columns').click()
  await page.getByRole('button', { name: 'Remove the column f1' }).click()
  await page.getByRole('button', { name: /^f1/ }).waitFor({ state: 'detached' })
  assert.equal(new URL(page.url()).hash, '#/models/iris?sort=accuracy&m=accuracy&m=epochs')

  const point = async (version) => {
    await page.getByRole('button', { name: `Aliases of version ${version}` }).click()
    const move = page.getByRole('button', { name: /Move here/ })
    if (version === '2') {
      await page.getByLabel('New alias').fill('champion')
      await page.getByRole('button', { name: 'Set' }).click()
    } else await move.click()
    await page
      .locator('tr', { hasText: '@champion' })
      .filter({ has: page.getByRole('link', { name: version, exact: true }) })
      .waitFor()
  }
  await point('2')
  await point('3')

  await page.getByRole('button', { name: 'Aliases of version 3' }).click()
  await page.getByText('History').click()
  await page.getByRole('button', { name: 'Go back to version 2' }).click()
  await page.getByText('@champion is back.').waitFor()
  assert.equal((await call('GET', '/v1/models/iris/aliases/champion', null, people.ada)).version, '2')

  page.once('dialog', (dialog) => dialog.accept())
  await page.getByRole('button', { name: 'Aliases of version 2' }).click()
  await page.getByRole('button', { name: 'Remove @champion' }).click()
  await page.getByText('@champion is removed.').waitFor()
  assert.deepEqual((await call('GET', '/v1/models/iris', null, people.ada)).aliases, [])
})

scenario('an edit does not overwrite what another user has changed meanwhile', async ({ page }) => {
  await openIris(page)
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Description').fill('mine')
  await call('PUT', '/v1/models/iris', { description: 'theirs' }, people.ada)
  await page.getByRole('button', { name: 'Save' }).click()

  await page.getByText('Another user changed this').waitFor()
  await page.screenshot({ path: `${SHOTS}conflict.png` })
  assert.equal((await call('GET', '/v1/models/iris', null, people.ada)).description, 'theirs')

  await page.getByRole('button', { name: 'Save over it' }).click()
  await page.getByText('Saved.').waitFor()
  assert.equal((await call('GET', '/v1/models/iris', null, people.ada)).description, 'mine')
})

const IMAGE = 'https://elsewhere.example/badge.png'
/** Its image is on another server, from which the page loads nothing. */
const CARD = `# Cats\n\n[To the dogs](#and-dogs) ![badge](${IMAGE})\n\n## And dogs\n\nand **dogs**`

scenario('edits of a card and of a version are saved, and undone', async ({ page }) => {
  await enter(page)
  await page.goto(`${URL_}/#/models/cats`)
  await page.getByRole('button', { name: 'Add a card' }).click()
  await page.getByLabel('Markdown').fill(CARD)
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.locator('.card strong', { hasText: 'dogs' }).waitFor()
  await page.locator('.card [aria-level="3"]', { hasText: 'Cats' }).waitFor()
  await page.locator('.card').getByRole('link', { name: 'To the dogs' }).click()
  assert.equal(await page.locator('.card').getByRole('link', { name: 'badge' }).getAttribute('href'), IMAGE)
  assert.equal(new URL(page.url()).hash, '#/models/cats')
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('button', { name: 'Add a card' }).waitFor()

  await page.goto(`${URL_}/#/models/iris/1`)
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Stage').selectOption('staging')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.locator('h1 + .chips', { hasText: 'staging' }).waitFor()
  const { stage } = await call('GET', '/v1/models/iris/versions/1/info', null, people.ada)
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.locator('h1 + .chips', { hasText: 'staging' }).waitFor({ state: 'detached' })
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download weights.json' }).click(),
  ])
  assert.deepEqual([stage, download.suggestedFilename()], ['staging', 'weights.json'])

  await page.getByRole('button', { name: 'Share a link' }).click()
  const shared = await fetch(await page.locator('dialog pre').textContent())
  assert.equal(await shared.text(), JSON.stringify({ weights: [0.1, 0.2, 0.7] }))
})

scenario('a deleted item comes back from the trash', async ({ page }) => {
  await enter(page)
  await page.goto(`${URL_}/`)
  await page.getByRole('link', { name: 'roses' }).click()
  page.once('dialog', (dialog) => dialog.accept())
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByText('roses is in the trash.').waitFor()
  await page.getByRole('link', { name: 'Trash' }).click()
  await page
    .getByRole('row', { name: /^roses/ })
    .getByRole('button', { name: 'Restore' })
    .click()
  await page.getByRole('heading', { name: 'roses', level: 1 }).waitFor()
})

scenario('an item is shared with a person who is completed', async ({ page }) => {
  await openIris(page)
  await page.getByRole('button', { name: 'Share' }).click()
  await page.getByLabel('Add a person or a group', { exact: true }).pressSequentially('bo')
  await page.getByRole('option', { name: 'bob' }).click()
  await page.getByLabel('Access of bob').waitFor()
  assert.equal(await page.evaluate(() => document.activeElement.role), 'combobox') // the focus stays
  await page.screenshot({ path: `${SHOTS}share.png` })
  assert.deepEqual(
    (await call('GET', '/v1/models/iris', null, people.ada)).users.map((user) => user.username),
    ['bob'],
  )
})

scenario('hostile names, files and terms are shown as text', async ({ page }) => {
  const name = `hostile ${HOSTILE}`
  const { _id: item } = await call('POST', '/v1/models', { name, tags: [HOSTILE], description: HOSTILE }, people.ada)
  await addVersion(
    people.ada,
    item,
    `<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=2"><script>document.title=3</script></svg>`,
    'x.svg',
  )
  await enter(page)
  await page.goto(`${URL_}/`)
  await page.goto(`${URL_}/#/models/${item}`)
  await page.getByRole('heading', { name, level: 1 }).waitFor()
  await page.getByRole('link', { name: '1', exact: true }).click()
  await page.getByRole('button', { name: 'x.svg', exact: true }).click()
  await page.locator('.preview pre', { hasText: 'onload=' }).waitFor()
  await call(
    'PUT',
    `/v1/models/${item}/versions/1`,
    { inputs: ['datasets/petals@1'], metadata: { add: [{ name: HOSTILE, value: 1 }] } },
    people.ada,
  )
  await addVersion(people.ada, item, '{}', 'y.json')
  await call('PUT', `/v1/models/${item}/versions/2`, { metadata: { add: [{ name: HOSTILE, value: 2 }] } }, people.ada)
  await page.goto(`${URL_}/#/compare/models/${item}?which=1&which=2`)
  await page.locator('tr.differs', { hasText: HOSTILE }).waitFor()
  await page.getByRole('img', { name: HOSTILE }).waitFor()
  await page.goto(`${URL_}/#/lineage/models/${item}?which=1`)
  await page.locator('.graph-node', { hasText: name }).waitFor()
  assert.match(await page.title(), /Catalog/)
})
