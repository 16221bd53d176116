import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { call, enter, SHOTS, URL_, unanswered } from './support.mjs'
import { PETALS, people, scenario } from './world.mjs'

scenario('an upload goes on by itself and after a reload, and bytes that are there are not sent again', async (own) => {
  const { page, context, faults } = own
  // Three parts of 16 MiB and a rest.
  const file = join(process.env.HOME, `weights-${process.pid}.bin`)
  writeFileSync(file, randomBytes(50 * 2 ** 20))
  page.on('dialog', (dialog) => dialog.accept()) // the browser asks whether the page may be closed
  await enter(page)
  await page.goto(`${URL_}/`)
  const choose = async (name, chosen) => {
    await page.goto(`${URL_}/#/upload`)
    await page.locator('input[type=file]').first().setInputFiles(chosen)
    await page.getByLabel('Name', { exact: true }).fill(name)
    await page.getByRole('button', { name: /^Upload 1 file/ }).click()
  }
  const network = await context.newCDPSession(page)
  const limit = (uploadThroughput, offline = false) =>
    network.send('Network.emulateNetworkConditions', {
      offline,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput,
    })
  await limit(16 * 2 ** 20) // slow enough for a reload in the middle of the second part
  const first = page.waitForResponse((response) => response.request().method() === 'PATCH')
  await choose('large', file)
  await first
  await limit(0, true) // the server is away
  await page.getByText('the server is away, trying again').waitFor()
  await page.screenshot({ path: `${SHOTS}uploading.png` })
  const expired = page.waitForResponse((response) => response.status() === 401)
  await page.route('**/v1/uploads/*', (route) => route.fulfill({ status: 401 }), { times: 1 })
  await page.getByRole('link', { name: 'Trash' }).click() // it goes on while other views are shown
  await limit(8 * 2 ** 20)
  await expired
  await page.getByLabel('Password of ada').fill('Engine-No-1')
  const again = page.waitForResponse((response) => response.request().method() === 'HEAD' && response.ok())
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await again
  await page.getByRole('link', { name: /^Uploading: / }).click()
  await page.reload()
  await limit(-1)

  const [{ _id: item }] = (await call('GET', '/v1/models?filter={"name":"large"}', null, people.ada)).docs
  let begun = 0
  page.on('request', (request) => {
    begun += request.method() === 'POST' && request.url().endsWith('/v1/uploads')
  })
  await page.goto(`${URL_}/#/upload?kind=models&item=${item}`)
  await page.locator('input[type=file]').first().setInputFiles(file)
  await page.getByRole('button', { name: /^Upload 1 file/ }).click()
  await page.getByRole('heading', { name: 'Version 1' }).waitFor()
  assert.equal(begun, 0)

  await choose('copy', { name: 'petals.csv', mimeType: 'text/csv', buffer: Buffer.from(PETALS) })
  await page.getByText('nothing was sent').waitFor()
  await page.getByRole('heading', { name: 'Version 1' }).waitFor()
  faults.splice(0, faults.length, ...faults.filter((fault) => !fault.includes('ERR_INTERNET_DISCONNECTED')))
})

scenario(
  'the small files of a folder come in one request, which is paused, and after a reload only the rest',
  async (own) => {
    const { page } = own
    const folder = join(process.env.HOME, `folder-${process.pid}`)
    mkdirSync(join(folder, 'data'), { recursive: true })
    for (const name of ['MLmodel', 'data/a "b" ü.txt', 'data/c.txt']) writeFileSync(join(folder, name), name)
    writeFileSync(join(folder, 'weights.bin'), randomBytes(300 * 2 ** 10))
    const header = '{"layer.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}'
    writeFileSync(
      join(folder, 'model.safetensors'),
      `${String.fromCharCode(header.length)}${'\0'.repeat(7)}${header}12345678`,
    )
    page.on('dialog', (dialog) => dialog.accept())
    await enter(page)
    const choose = async (query) => {
      await page.goto(`${URL_}/#/upload${query}`)
      await page.locator('input[type=file]').nth(1).setInputFiles(folder)
      if (!query) await page.getByLabel('Name', { exact: true }).fill('folder')
      await page.getByRole('button', { name: /^Upload 5 files/ }).click()
    }
    const batches = []
    page.on('response', (answer) => answer.url().endsWith('/files') && batches.push(answer))
    const upload = await unanswered(page, '**/v1/uploads')
    const batched = await unanswered(page, '**/versions/*/files')
    const batch = page.waitForResponse((answer) => answer.url().endsWith('/files'))
    await choose('')
    const small = page.getByRole('listitem').filter({ hasText: 'and 3 more files' })
    await batched.sent
    await small.getByRole('button', { name: 'Pause' }).click()
    await small.getByText('paused').waitFor()
    await small.getByRole('button', { name: 'Resume' }).click()
    await Promise.all([batch, upload.sent])
    await page.reload()

    const [{ _id: item }] = (await call('GET', '/v1/models?filter={"name":"folder"}', null, people.ada)).docs
    const proxy = (route) => route.fulfill({ status: 413, body: '<h1>Request Entity Too Large</h1>' })
    await page.route('**/v1/uploads/*', proxy, { times: 1 })
    await choose(`?kind=models&item=${item}`)
    await page.getByText('4 files of this folder arrived before').waitFor()
    await page.getByRole('heading', { name: 'Version 1' }).waitFor()
    const { files } = await call('GET', `/v1/models/${item}/versions/1/info`, null, people.ada)
    assert.deepEqual(
      files.map(({ path }) => path),
      ['MLmodel', 'data/a "b" ü.txt', 'data/c.txt', 'model.safetensors', 'weights.bin'],
    )
    assert.equal(batches.filter((answer) => answer.request().method() === 'POST').length, 1)

    await page.getByRole('button', { name: 'model.safetensors', exact: true }).click()
    await page.getByLabel('Search 1 tensor').fill('LAYER')
    await page.getByRole('row', { name: 'layer.weight F32 1 × 2' }).waitFor()
  },
)
