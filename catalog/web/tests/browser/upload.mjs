import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { call, enter, SHOTS, URL_ } from './support.mjs'
import { PETALS, people, scenario } from './world.mjs'

scenario('an upload goes on by itself and after a reload, and bytes that are there are not sent again', async (own) => {
  const { page, context, faults } = own
  // Two parts of 16 MiB and a rest.
  const file = join(process.env.HOME, `weights-${process.pid}.bin`)
  writeFileSync(file, randomBytes(34 * 2 ** 20))
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
  await page.getByText('this goes on by itself').waitFor()
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
