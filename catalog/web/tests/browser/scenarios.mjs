import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import {
  ADMIN,
  API_TOKEN,
  addVersion,
  call,
  enter,
  launched,
  opened,
  SHOTS,
  signIn,
  tokenOf,
  URL_,
  violations,
} from './support.mjs'

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
      {
        metadata: {
          add: [
            { name: 'accuracy', value: accuracy },
            { name: 'epochs', value: 10 * which },
          ],
        },
      },
      ada,
    )
  }
  await call('POST', '/v1/datasets', { name: 'petals', visibility: 'public' }, ada)
  await addVersion(ada, 'petals', 'a,b\n1,2\n', 'petals.csv', 'datasets')
  for (const which of [1, 2]) {
    await call('PUT', `/v1/models/iris/versions/${which}`, { inputs: ['datasets/petals@1'] }, ada)
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
  await enter(page)
  await page.goto(`${URL_}/#/models/iris`)
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

test('who has forgotten the password chooses a new one behind the link of a mail', async () => {
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

test('the link of a mail leads to a new password, and an incomplete one is a sentence', async () => {
  await page.goto(`${URL_}/#/passwordreset?tenant=acme`)
  await page.getByText('This link is incomplete').waitFor()
  await page.goto(`${URL_}/#/passwordreset?token=${'0'.repeat(24)}&tenant=acme`)
  await page.getByLabel('New password').fill('Engine-No-2')
  await page.getByRole('button', { name: 'Change the password' }).click()
  assert.match(await page.getByRole('alert').textContent(), /\w+ \w+/)
})

test('a search narrows by a tag that is completed by keyboard, and back takes it away', async () => {
  await enter(page)
  await page.goto(`${URL_}/`)
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
  await enter(page)
  await page.goto(`${URL_}/`)
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
  await enter(page)
  await page.goto(`${URL_}/`)
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
  await page.getByLabel('Add a person or a group', { exact: true }).pressSequentially('bo')
  await page.getByRole('option', { name: 'bob' }).click()
  await page.getByLabel('What bob may do').waitFor()
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
  await enter(page)
  await page.goto(`${URL_}/`)
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
  await enter(page)
  await page.goto(`${URL_}/`)
  await page.goto(`${URL_}/#/models/${item}`)
  await page.getByRole('heading', { name, level: 1 }).waitFor()
  await page.getByRole('link', { name: '1', exact: true }).click()
  await page.getByRole('button', { name: 'x.svg' }).click()
  await page.locator('.preview pre', { hasText: 'onload=' }).waitFor()
  await call(
    'PUT',
    `/v1/models/${item}/versions/1`,
    { inputs: ['datasets/petals@1'], metadata: { add: [{ name: HOSTILE, value: 1 }] } },
    ada,
  )
  await addVersion(ada, item, '{}', 'y.json')
  await call('PUT', `/v1/models/${item}/versions/2`, { metadata: { add: [{ name: HOSTILE, value: 2 }] } }, ada)
  await page.goto(`${URL_}/#/compare/models/${item}?which=1&which=2`)
  await page.locator('tr.differs', { hasText: HOSTILE }).waitFor()
  await page.getByRole('img', { name: HOSTILE }).waitFor()
  await page.goto(`${URL_}/#/lineage/models/${item}?which=1`)
  await page.locator('.graph-node', { hasText: name }).waitFor()
  assert.match(await page.title(), /Catalog/)
})

test('versions are compared by what was ticked, drawn in three ways, and saved', async () => {
  await openIris()
  await page.getByLabel('Compare version 3').check()
  await page.getByLabel('Compare version 1').check()
  await page.getByRole('link', { name: 'Compare the 2 ticked' }).click()
  const accuracy = page.locator('tr.differs', { hasText: 'accuracy' })
  assert.match(await accuracy.textContent(), /differs.*0\.91.*0\.93 \+0\.02/)
  await page.getByLabel('Add a version').selectOption('2')
  await page.waitForFunction(() => location.hash.endsWith('which=1&which=3&which=2'))

  const coloured = () =>
    page.locator('canvas').evaluate((canvas) => {
      const pixels = new Uint32Array(
        canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer,
      )
      return new Set(pixels).size > 10
    })
  for (const plot of ['One metric', 'Several metrics', 'Two metrics']) {
    await page.getByRole('tab', { name: plot }).click()
    await page.waitForTimeout(50)
    while (!(await coloured())) await page.waitForTimeout(50)
  }
  await page.keyboard.press('ArrowLeft')
  await page.waitForFunction(() => location.hash.includes('plot=profile'))
  const saved = async (name) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
    return readFileSync(await download.path())
  }
  assert.match(String(await saved('Save as CSV')), /^version,accuracy,epochs\r\n1,0\.91,10\r\n3,0\.93,30\r\n/)
  assert.equal((await saved('Save as PNG')).toString('latin1', 1, 4), 'PNG')
  await page.reload()
  assert.equal(await page.getByRole('tab', { name: 'Several metrics' }).getAttribute('aria-selected'), 'true')
})

test('lineage is walked by arrow keys, collapsed, and the same as a list', async () => {
  await enter(page)
  await page.goto(`${URL_}/#/lineage/datasets/petals`)
  const root = page.locator('.graph-node.root a')
  await root.focus()
  await page.keyboard.press('ArrowRight')
  const focused = () => page.evaluate(() => document.activeElement.textContent)
  assert.match(await focused(), /^iris model, version/)
  await page.keyboard.press('ArrowLeft')
  assert.match(await focused(), /^petals/)

  await page.goto(`${URL_}/#/lineage/models/iris?which=1&view=list`)
  await page.getByRole('link', { name: 'petals dataset, version 1' }).waitFor()
  await page.getByRole('tab', { name: 'Graph' }).click()
  await page.getByText('petals').waitFor()
})

test('an administrator adds a person to a group, merges terms, and finds it in the journal', async () => {
  await call('POST', '/v1/models', { name: 'tulips', tags: ['flower'], visibility: 'public' }, ada)
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
  await page.getByText('1 item now use flowers.').waitFor()
  assert.deepEqual((await call('GET', '/v1/models/tulips', null, ada)).tags, ['flowers'])

  await page.getByRole('link', { name: 'Usage' }).click()
  await page.getByRole('link', { name: 'iris' }).waitFor()
  await page.getByRole('link', { name: 'Robots' }).click()
  await page.getByLabel('Name', { exact: true }).fill('nightly')
  await page.getByRole('button', { name: 'Add a robot' }).click()
  await page.getByText('expires in').waitFor()
  await isInTheJournal('/v1/tags/flower/merge')
  await page.goto(`${URL_}/#/admin/journal?method=POST&path=merge`)
  await page.getByText('/v1/tags/flower/merge').waitFor()
})

/** Wait for an entry, which is written a moment after the answer. */
async function isInTheJournal(path) {
  const admin = await tokenOf('admin', ADMIN)
  const filter = encodeURIComponent(JSON.stringify({ path }))
  while (!(await call('GET', `/v1/log?filter=${filter}`, null, admin)).docs.length) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test('the operator adds a tenant, sets its quota, and removes it, with a token that is forgotten', async () => {
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
  await page.getByLabel('Type acme to go on').fill('acme')
  await page.getByRole('button', { name: 'Remove for good' }).click()
  await acme.waitFor({ state: 'detached' })
  assert.equal(await page.evaluate(() => sessionStorage.length), 0)
  await page.reload()
  await page.getByLabel('API_TOKEN').waitFor()
})

test('signing out everywhere ends the other sessions', async () => {
  const bob = await tokenOf('bob')
  await enter(page, 'bob')
  await page.goto(`${URL_}/#/account`)
  page.once('dialog', (dialog) => dialog.accept())
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.getByLabel('Organisation').waitFor()
  await assert.rejects(call('GET', '/v1/models', null, bob), /401/)
})

const VIEWS = {
  upload: 'h1',
  trash: 'h1',
  account: 'h1',
  'compare/models/iris?which=1&which=2&which=3': 'canvas',
  'lineage/models/iris?which=1': '.graph-node',
  'admin/people': 'tbody tr',
  'admin/groups': 'form',
  'admin/usage': 'tbody tr',
  'admin/terms': 'tbody tr',
  'admin/robots': 'form',
  'admin/journal': 'tbody tr',
}

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
      await enter(own.page, 'admin', ADMIN)
      await own.page.goto(`${URL_}/`)
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
      for (const [view, ready] of Object.entries(VIEWS)) {
        await own.page.goto(`${URL_}/#/${view}`)
        await own.page.locator(ready).first().waitFor()
        await look(view.split('?')[0].replaceAll('/', '-'))
      }
      await own.context.close()
      assert.deepEqual(seen, [])
      assert.deepEqual(own.faults, [])
    })
  }
}
