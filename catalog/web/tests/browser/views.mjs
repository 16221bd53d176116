/** Every view at 1280 and 390 pixels, in light and dark: what axe finds, and whether it is as wide as the screen. */
import assert from 'node:assert/strict'
import { ADMIN, API_TOKEN, COLOURS, enter, LOOKS, SHOTS, URL_, violations } from './support.mjs'
import { atOnce, scenario } from './world.mjs'

/** The address of each view, what shows that it is there, and what is done then. */
const VIEWS = {
  find: ['', '.result'],
  item: ['models/iris', 'tbody tr'],
  edit: ['models/iris', 'tbody tr', (page) => page.getByRole('button', { name: 'Edit' }).click()],
  retention: ['models/iris', 'tbody tr', (page) => page.getByRole('button', { name: /^Keep or remove/ }).click()],
  version: ['models/iris/2?file=weights.json', '.preview pre'],
  compare: ['compare/models/iris?which=1&which=2&which=3&plot=bars', 'canvas'],
  lineage: ['lineage/models/iris?which=1', '.graph-node'],
  card: ['models/iris', 'tbody tr', (page) => page.getByRole('button', { name: 'Add a card' }).click()],
  details: ['models/iris/2', 'tbody tr', (page) => page.getByRole('button', { name: 'Edit' }).click()],
  upload: ['upload', 'form'],
  trash: ['trash', 'h1'],
  account: ['account', 'h2'],
  nowhere: ['nowhere', 'h1'],
  gone: [`models/${'0'.repeat(24)}`, '.problem'],
  'admin-people': ['admin/people', 'tbody tr'],
  'admin-groups': ['admin/groups', '.panel'],
  'admin-usage': ['admin/usage', 'tbody tr'],
  'admin-retention': ['admin/retention', '.pairs'],
  'admin-terms': ['admin/terms', 'tbody tr'],
  'admin-robots': ['admin/robots', 'tbody tr'],
  'admin-journal': ['admin/journal?method=DELETE', 'tbody tr'], // a few rows show what is wrong with all
  operator: [
    'operator',
    'form',
    async (page) => {
      await page.getByLabel('API_TOKEN').fill(API_TOKEN)
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.locator('.panel').first().waitFor()
    },
  ],
}

const SCREENS = [
  { viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
  { viewport: { width: 390, height: 844 }, colorScheme: 'dark', isOnlyLooks: true },
]

const OTHER = { light: 'dark', dark: 'light' }

async function lookAtAll(page, { viewport, colorScheme, isOnlyLooks }) {
  const name = `${viewport.width}-${colorScheme}`
  const seen = []
  const look = async (view) => {
    await page.screenshot({ path: `${SHOTS}${view}-${name}.png` })
    seen.push(...(await violations(page, isOnlyLooks ? LOOKS : [])).map((each) => `${view}: ${each}`))
    await page.emulateMedia({ colorScheme: OTHER[colorScheme] })
    seen.push(...(await violations(page, COLOURS)).map((each) => `${view} in ${OTHER[colorScheme]}: ${each}`))
    await page.emulateMedia({ colorScheme })
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (overflow > 0) seen.push(`${view}: ${overflow} pixels too wide`)
  }
  await page.goto(`${URL_}/`)
  await page.getByLabel('Password').waitFor()
  await look('sign-in')
  await enter(page, 'admin', ADMIN)
  await page.reload()
  for (const [view, [address, ready, act]] of Object.entries(VIEWS)) {
    await page.goto(`${URL_}/#/${address}`)
    await page.locator(ready).first().waitFor()
    await act?.(page)
    await look(view)
    await page.keyboard.press('Escape') // a dialog is closed
  }
  assert.deepEqual(seen, [])
}

atOnce('every view is accessible', () => {
  for (const screen of SCREENS) {
    const { viewport, colorScheme } = screen
    // Without transitions: during one, a colour has too little contrast.
    const options = { viewport, colorScheme, reducedMotion: 'reduce' }
    scenario(`axe finds nothing at ${viewport.width} pixels`, ({ page }) => lookAtAll(page, screen), options)
  }
})
