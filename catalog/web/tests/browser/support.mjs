/** A real browser on a running server, and requests to its API. */
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'

export const URL_ = process.env.CATALOG_URL
export const TENANT = process.env.CATALOG_TENANT
export const PASSWORD = 'Engine-No-1'
export const ADMIN = process.env.CATALOG_ADMIN
export const API_TOKEN = process.env.CATALOG_API_TOKEN
export const SHOTS = new URL('../../screenshots/', import.meta.url).pathname
mkdirSync(SHOTS, { recursive: true })
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What the browser itself reports of an answer that is a refusal. The page shows it as a sentence. */
const EXPECTED = /^Failed to load resource: the server responded with a status of (400|401|404|409|412|413)/

export async function call(method, path, body, token, headers = {}) {
  const answer = await fetch(`${URL_}${path}`, {
    method,
    headers: {
      ...(body && { 'Content-Type': 'application/json' }),
      ...(token && { Authorization: token }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const content = await answer.json().catch(() => ({}))
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(content)}`)
  return content
}

export async function tokenOf(username, password = PASSWORD) {
  return (await call('POST', '/v1/login', { username, password, tenant: TENANT })).token
}

export async function addVersion(token, key, bytes, name, kind = 'models') {
  const answer = await fetch(
    `${URL_}/v1/${kind}/${encodeURIComponent(key)}/versions?name=${encodeURIComponent(name)}`,
    {
      method: 'POST',
      headers: { Authorization: token, 'Content-Type': 'application/octet-stream' },
      body: bytes,
    },
  )
  if (!answer.ok) throw new Error(`upload: ${answer.status} ${await answer.text()}`)
}

export async function launched() {
  return playwright.launch({
    executablePath: process.env.CATALOG_CHROMIUM || (await chromium.executablePath()),
    // In one process, as small machines need it, the browser ends with the first page that closes.
    args: [...chromium.args.filter((each) => each !== '--single-process' && each !== '--no-zygote'), '--no-sandbox'],
    headless: true,
  })
}

/** A page of its own, which collects what must not happen: errors, and violations of the policy. */
export async function opened(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP: false, ...options })
  context.setDefaultTimeout(60_000) // busy machines stop for seconds
  const page = await context.newPage()
  const faults = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !EXPECTED.test(message.text())) faults.push(message.text())
  })
  return { context, page, faults }
}

/** Give the next request of this address no answer. `sent` resolves when it is made. */
export async function unanswered(page, address) {
  let note
  const sent = new Promise((resolve) => {
    note = resolve
  })
  await page.route(address, note, { times: 1 })
  return { sent }
}

export async function signIn(page, username = 'ada', password = PASSWORD) {
  await page.goto(`${URL_}/`)
  await page.getByLabel('Organisation').fill(TENANT)
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByLabel('Search', { exact: true }).waitFor()
}

const sessions = new Map()

/** A page of a user who is signed in already: the session is put where the page keeps it. */
export async function enter(page, username = 'ada', password = PASSWORD) {
  if (!sessions.has(username)) {
    const { token, user } = await call('POST', '/v1/login', { username, password, tenant: TENANT })
    const isAdmin = user.role === 'admin'
    sessions.set(username, { token, tenant: TENANT, username, userId: user._id, isAdmin, renewAt: Date.now() + 3e6 })
  }
  await page.addInitScript(
    ([stored, session]) => sessionStorage.getItem(stored) ?? sessionStorage.setItem(stored, session),
    ['catalog-session', JSON.stringify(sessions.get(username))],
  )
}

const LEVELS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
/** The rules that depend on the size of the screen and on the colours. */
export const LOOKS = ['color-contrast', 'link-in-text-block', 'scrollable-region-focusable', 'target-size']

/** Those that depend on the colours alone. */
export const COLOURS = ['color-contrast', 'link-in-text-block']

/**
 * What axe finds against WCAG 2.2, level A and AA: of a dialog that is open, what lies behind it aside. Its script is
 * evaluated, so the policy of the page stays. `rules`: these alone.
 */
export async function violations(page, rules = []) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE)
  const runOnly = rules.length ? { type: 'rule', values: rules } : LEVELS
  const found = await page.evaluate(
    (runOnly) =>
      globalThis.axe.run(document.querySelector('dialog[open]') ?? document, { runOnly, resultTypes: ['violations'] }),
    runOnly,
  )
  return found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' | ')}`)
}
