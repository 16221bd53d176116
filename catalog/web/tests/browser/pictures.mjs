/** The pictures of docs/page.md. `make pictures` copies them there. */
import { mkdirSync } from 'node:fs'
import { call, enter, SHOTS, URL_ } from './support.mjs'
import { people, scenario } from './world.mjs'

const TAKEN = `${SHOTS}docs/`
mkdirSync(TAKEN, { recursive: true })

const PICTURES = {
  find: ['?q=flowers', '.facets'],
  version: [
    'models/iris/3',
    'tbody tr',
    (page) => page.getByRole('button', { name: 'weights.json', exact: true }).click(),
  ],
  compare: [
    'compare/models/iris?which=1&which=2&which=3&plot=bars',
    'canvas[style]', // it is drawn
    (page) => page.evaluate(() => scrollTo(0, 280)), // the table and the plot
  ],
  lineage: ['lineage/datasets/petals', '.graph-node'],
}

scenario(
  'the pictures of the documentation are taken',
  async ({ page }) => {
    await call('PUT', '/v1/models/iris/aliases/tested', { version: '3' }, people.ada)
    await enter(page)
    for (const [name, [view, ready, act]] of Object.entries(PICTURES)) {
      await page.goto(`${URL_}/#/${view}`)
      await page.locator(ready).first().waitFor()
      await act?.(page)
      await page.waitForFunction(() => !/Loading…|Searching…|of …/.test(document.querySelector('main').textContent))
      await page.screenshot({ path: `${TAKEN}page-${name}.png`, animations: 'disabled' })
    }
    await call('DELETE', '/v1/models/iris/aliases/tested', null, people.ada)
  },
  { viewport: { width: 1100, height: 760 }, reducedMotion: 'reduce' },
)
