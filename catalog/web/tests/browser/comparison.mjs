import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { enter, URL_ } from './support.mjs'
import { openIris, scenario } from './world.mjs'

scenario('versions are compared by what was ticked, drawn in four ways, and saved', async ({ page }) => {
  await openIris(page)
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
  for (const plot of ['One metric', 'Several metrics', 'Bars', 'Two metrics']) {
    await page.getByRole('tab', { name: plot }).click()
    await page.waitForTimeout(50)
    while (!(await coloured())) await page.waitForTimeout(50)
  }
  await page.keyboard.press('ArrowLeft')
  await page.waitForFunction(() => location.hash.includes('plot=bars'))
  const saved = async (name) => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()])
    return readFileSync(await download.path())
  }
  assert.match(
    String(await saved('Save as CSV')),
    /^version,accuracy,f1,epochs\r\n1,0\.91,0\.88,10\r\n3,0\.93,0\.94,30\r\n/,
  )
  assert.equal((await saved('Save as PNG')).toString('latin1', 1, 4), 'PNG')
  await page.reload()
  assert.equal(await page.getByRole('tab', { name: 'Bars' }).getAttribute('aria-selected'), 'true')
})

scenario('lineage is walked by arrow keys, collapsed, and the same as a list', async ({ page }) => {
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
