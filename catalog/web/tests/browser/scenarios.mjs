import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { addVersion, call, launched, opened, SHOTS, signIn, tokenOf, URL_, violations } from './support.mjs'

const HOSTILE = '<img src=x onerror="document.title=1">"\'&{{7*7}}'

let browser
let ada
let page
let faults
let context

before(async () => {
  browser = await launched()
  ada = await tokenOf('ada')
  for (const [name, tags] of [
    ['iris', ['flowers', 'small']],
    ['roses', ['flowers']],
    ['cats', ['animals']],
  ]) {
    await call('POST', '/v1/models', { name, tags, visibility: 'public', description: `A model of ${name}` }, ada)
  }
  for (const [accuracy, text] of [
    [0.91, 'one'],
    [0.95, 'two'],
    [0.93, 'three'],
  ]) {
    await addVersion(ada, 'iris', `{"weights": "${text}"}`, 'weights.json')
    const which = { 0.91: 1, 0.95: 2, 0.93: 3 }[accuracy]
    await call(
      'PUT',
      `/v1/models/iris/versions/${which}`,
      { metadata: { add: [{ name: 'accuracy', value: accuracy }] } },
      ada,
    )
  }
})

after(() => browser?.close())

beforeEach(async () => {
  ;({ page, faults, context } = await opened(browser))
})

afterEach(async () => {
  await context.close()
  assert.deepEqual(faults, [])
})

const openIris = async () => {
  await signIn(page)
  await page.getByLabel('Search', { exact: true }).fill('iris')
  await page.getByRole('link', { name: 'iris', exact: true }).click()
  await page.getByRole('heading', { name: 'iris', level: 1 }).waitFor()
}

test('a wrong password is a sentence, and the session survives a reload and ends with a sign-out', async () => {
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
})

test('the link of a mail leads to a new password, and an incomplete one is a sentence', async () => {
  await page.goto(`${URL_}/#/passwordreset?tenant=acme`)
  await page.getByText('This link is incomplete').waitFor()
  await page.goto(`${URL_}/#/passwordreset?token=${'0'.repeat(24)}&tenant=acme`)
  await page.getByLabel('New password').fill('Engine-No-2')
  await page.getByRole('button', { name: 'Change the password' }).click()
  assert.match(await page.getByRole('alert').textContent(), /\w+ \w+/)
})

test('a search narrows by a tag that is completed by keyboard, and back takes it away', async () => {
  await signIn(page)
  await page.getByRole('link', { name: 'cats' }).waitFor()
  await page.getByLabel('Tag', { exact: true }).pressSequentially('flo')
  await page.getByRole('option', { name: /flowers/ }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')

  await page.getByRole('link', { name: 'cats' }).waitFor({ state: 'detached' })
  assert.equal(new URL(page.url()).hash, '#/?tag=flowers')

  await page.goBack()
  await page.getByRole('link', { name: 'cats' }).waitFor()
})

test('versions are sorted by a metric, and an alias is moved and rolled back', async () => {
  await openIris()
  await page.getByRole('button', { name: /^accuracy/ }).click()
  assert.match(await page.locator('tbody tr').first().textContent(), /^2/)

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
  assert.equal((await call('GET', '/v1/models/iris/aliases/champion', null, ada)).version, '2')
})

test('an edit does not overwrite what somebody else has changed meanwhile', async () => {
  await openIris()
  await page.getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Description').fill('mine')
  await call('PUT', '/v1/models/iris', { description: 'theirs' }, ada)
  await page.getByRole('button', { name: 'Save' }).click()

  await page.getByText('Somebody changed this').waitFor()
  await page.screenshot({ path: `${SHOTS}conflict.png` })
  assert.equal((await call('GET', '/v1/models/iris', null, ada)).description, 'theirs')

  await page.getByRole('button', { name: 'Save over it' }).click()
  await page.getByText('Saved.').waitFor()
  assert.equal((await call('GET', '/v1/models/iris', null, ada)).description, 'mine')
})

test('an upload goes on after a reload, and bytes that are there are not sent again', async () => {
  const file = join(tmpdir(), `weights-${process.pid}.bin`)
  writeFileSync(file, randomBytes(50 * 2 ** 20))
  await signIn(page)
  let patches = 0
  const choose = async (name) => {
    await page.goto(`${URL_}/#/upload`)
    await page.locator('input[type=file]').first().setInputFiles(file)
    await page.getByLabel('Name', { exact: true }).fill(name)
    await page.getByRole('button', { name: /^Upload 1 file/ }).click()
  }
  await page.route('**/v1/uploads/*', async (route) => {
    patches += route.request().method() === 'PATCH'
    if (patches === 2) return // the second part never arrives
    await route.continue()
  })
  await choose('large')
  await page.waitForFunction(() => document.querySelector('progress')?.value > 10 * 2 ** 20)
  while (patches < 2) await page.waitForTimeout(50)
  await page.screenshot({ path: `${SHOTS}uploading.png` })
  await page.unroute('**/v1/uploads/*')
  await page.reload()

  const [{ _id: item }] = (await call('GET', '/v1/models?filter={"name":"large"}', null, ada)).docs
  let begun = 0
  page.on('request', (request) => {
    begun += request.method() === 'POST' && request.url().endsWith('/v1/uploads')
  })
  await page.goto(`${URL_}/#/upload?kind=models&item=${item}`)
  await page.locator('input[type=file]').first().setInputFiles(file)
  await page.getByRole('button', { name: /^Upload 1 file/ }).click()
  await page.getByRole('heading', { name: 'Version 1' }).waitFor()
  assert.equal(begun, 0)

  await choose('copy')
  await page.getByText('nothing was sent').waitFor()
  await page.getByRole('heading', { name: 'Version 1' }).waitFor()
})

test('a deleted item comes back from the trash', async () => {
  await signIn(page)
  await page.getByRole('link', { name: 'roses' }).click()
  page.once('dialog', (dialog) => dialog.accept())
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByText('roses is in the trash.').waitFor()
  await page.getByRole('link', { name: 'Trash' }).click()
  await page.getByRole('button', { name: 'Restore' }).click()
  await page.getByRole('heading', { name: 'roses', level: 1 }).waitFor()
})

test('an item is shared with a person who is completed', async () => {
  await openIris()
  await page.getByRole('button', { name: 'Share' }).click()
  await page.getByLabel('Add a person', { exact: true }).pressSequentially('bo')
  await page.getByRole('option', { name: 'bob' }).click()
  await page.locator('dialog .chip', { hasText: 'bob' }).waitFor()
  await page.screenshot({ path: `${SHOTS}share.png` })
  assert.deepEqual(
    (await call('GET', '/v1/models/iris', null, ada)).users.map((user) => user.username),
    ['bob'],
  )
})

test('an expired session asks for the password, and what was typed is still there', async () => {
  await openIris()
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
  assert.equal((await call('GET', '/v1/models/iris', null, ada)).description, 'typed before the session ended')
})

test('a server that is away is a sentence, and the next attempt succeeds', async () => {
  await signIn(page)
  await page.route('**/v1/search**', (route) => route.abort())
  await page.getByLabel('Search', { exact: true }).fill('iris')
  await page.getByText('The server cannot be reached').waitFor()
  await page.unroute('**/v1/search**')
  await page.getByLabel('Search', { exact: true }).fill('iri')
  await page.getByRole('link', { name: 'iris', exact: true }).waitFor()
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes('ERR_FAILED')))
})

test('hostile names, files and terms are shown as text', async () => {
  const name = `hostile ${HOSTILE}`
  const { _id: item } = await call('POST', '/v1/models', { name, tags: [HOSTILE], description: HOSTILE }, ada)
  await addVersion(
    ada,
    item,
    `<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=2"><script>document.title=3</script></svg>`,
    'x.svg',
  )
  await signIn(page)
  await page.goto(`${URL_}/#/models/${item}`)
  await page.getByRole('heading', { name, level: 1 }).waitFor()
  await page.getByRole('link', { name: '1', exact: true }).click()
  await page.getByRole('button', { name: 'x.svg' }).click()
  await page.locator('.preview pre', { hasText: 'onload=' }).waitFor()
  assert.match(await page.title(), /Catalog/)
})

for (const width of [1280, 390]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing at ${width} pixels, ${colorScheme}`, async () => {
      const own = await opened(browser, { viewport: { width, height: 844 }, colorScheme })
      const seen = []
      const look = async (view) => {
        await own.page.screenshot({ path: `${SHOTS}${view}-${width}-${colorScheme}.png` })
        seen.push(...(await violations(own.page)).map((each) => `${view}: ${each}`))
        const overflow = await own.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        if (overflow > 0) seen.push(`${view}: ${overflow} pixels too wide`)
      }
      await own.page.goto(`${URL_}/`)
      await own.page.getByLabel('Password').waitFor()
      await look('sign-in')
      await signIn(own.page)
      await own.page.getByRole('link', { name: 'iris' }).waitFor()
      await look('find')
      await own.page.getByRole('link', { name: 'iris' }).click()
      await own.page.getByRole('link', { name: '2', exact: true }).waitFor()
      await look('item')
      await own.page.getByRole('button', { name: 'Edit' }).click()
      await look('edit')
      await own.page.getByRole('button', { name: 'Close' }).click()
      await own.page.getByRole('link', { name: '2', exact: true }).click()
      await own.page.getByRole('button', { name: 'weights.json' }).click()
      await own.page.locator('.preview pre').waitFor()
      await look('version')
      for (const view of ['upload', 'trash', 'account']) {
        await own.page.goto(`${URL_}/#/${view}`)
        await own.page.getByRole('heading', { level: 1 }).waitFor()
        await look(view)
      }
      await own.context.close()
      assert.deepEqual(seen, [])
      assert.deepEqual(own.faults, [])
    })
  }
}
