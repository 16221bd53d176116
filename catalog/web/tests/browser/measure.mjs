/** What people wait for on a catalog of many models, as the browser sees it. Printed as JSON. */
import { ADMIN, enter, launched, URL_ } from './support.mjs'

const ROUNDS = Number(process.env.ROUNDS)
const ROWS = Number(process.env.ROWS)
const FRAMES = 300

const median = (numbers) => numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)]
const shown = (numbers) =>
  `${Math.round(median(numbers))} ms (${Math.round(Math.min(...numbers))} to ${Math.round(Math.max(...numbers))})`

/** Runs in the page, before its own scripts: marks when what is awaited has been painted. */
function observed() {
  globalThis.shift = 0
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shift += entry.value
  }).observe({ type: 'layout-shift', buffered: true })
  globalThis.painted = (selector, test = () => true) =>
    new Promise((resolve) => {
      const look = () => {
        const found = document.querySelector(selector)
        if (!found || !test(found)) return
        watch.disconnect()
        requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
      }
      const watch = new MutationObserver(look)
      watch.observe(document, { childList: true, subtree: true, characterData: true, attributes: true })
      look()
    })
  globalThis.first = globalThis.painted('.result a')
}

const found = {}
const browser = await launched()
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
const page = await context.newPage()
await page.addInitScript(observed)
await enter(page, 'admin', ADMIN)

const opened = async () => {
  await page.goto(`${URL_}/`)
  return page.evaluate(async () => {
    const at = await globalThis.first
    const [document] = performance.getEntriesByType('navigation')
    const list = performance.getEntriesByType('resource').find((each) => each.name.includes('/v1/models?'))
    const since = (moment) => moment - document.responseEnd
    return { results: since(at), asked: since(list.startTime), answered: since(list.responseEnd) }
  })
}
await opened() // the first one warms the server and the cache of the browser
const rounds = []
for (let round = 0; round < ROUNDS; round += 1) {
  rounds.push(await opened())
  await page.waitForLoadState('networkidle')
}
found['first results after the document'] = shown(rounds.map((each) => each.results))
found['  of it: until the list is asked for'] = shown(rounds.map((each) => each.asked))
found['  of it: the answer of the server'] = shown(rounds.map((each) => each.answered - each.asked))
found['layout shift (CLS), first view'] = (await page.evaluate(() => globalThis.shift)).toFixed(4)

const typed = async (label, text, selector) => {
  const field = page.getByLabel(label, { exact: true })
  const times = []
  for (let round = 0; round < ROUNDS; round += 1) {
    await field.fill('')
    await page.waitForTimeout(300)
    await field.focus()
    await page.keyboard.insertText(text.slice(0, -1))
    await page.waitForTimeout(600)
    await page.evaluate(
      ([selector, last]) => {
        globalThis.began = new Promise((resolve) =>
          addEventListener('input', () => resolve(performance.now()), { once: true, capture: true }),
        )
        globalThis.done = globalThis.began.then(() =>
          globalThis.painted(selector, (element) => element.textContent.includes(last)),
        )
      },
      [selector, text],
    )
    await page.keyboard.insertText(text.slice(-1))
    times.push(await page.evaluate(async () => (await globalThis.done) - (await globalThis.began)))
  }
  await field.fill('')
  return times
}
found['completion of a tag, after the key'] = shown(await typed('Tag', 'word-41', '[role=option]'))
found['search, after the key'] = shown(await typed('Search', 'yolo-leaves-81', '.result a'))
await page.evaluate(() => document.activeElement.blur())

/** How many results the list says that it has. */
const shownRows = () =>
  page.evaluate(() => Number(/[\d,]+/.exec(document.querySelector('.state').textContent)?.[0].replaceAll(',', '') ?? 0))

/** Frames while the list scrolls, and the CPU time of the page's thread for each: the latter says the same when others work. */
const network = await context.newCDPSession(page)
await network.send('Performance.enable', { timeDomain: 'threadTicks' })
const busy = async () => {
  const { metrics } = await network.send('Performance.getMetrics')
  return 1000 * metrics.find((each) => each.name === 'TaskDuration').value
}
const scrolled = async (count) => {
  const before = await busy()
  const frames = await page.evaluate(
    (most) =>
      new Promise((resolve) => {
        const gaps = []
        let before = 0
        let at = 0
        scrollTo(0, 0)
        const step = (now) => {
          if (before) gaps.push(now - before)
          before = now
          at += 60
          scrollTo(0, at)
          if (gaps.length < most) requestAnimationFrame(step)
          else resolve(gaps)
        }
        requestAnimationFrame(step)
      }),
    FRAMES,
  )
  const spent = (await busy()) - before
  const rate = 1000 / (frames.reduce((sum, gap) => sum + gap, 0) / frames.length)
  const late = frames.filter((gap) => gap > 25).length
  found[`frames a second while scrolling ${count} results`] = rate.toFixed(1)
  found[`  frames later than 25 ms, of ${FRAMES}, ${count} results`] = String(late)
  found[`  CPU of the page for a frame, ${count} results`] = `${(spent / FRAMES).toFixed(1)} ms`
  found[`  elements in the document, ${count} results`] = String(
    await page.evaluate(() => document.querySelectorAll('*').length),
  )
}

await page.goto(`${URL_}/#/?kind=models`)
await page.locator('.result').first().waitFor()
await page.waitForTimeout(1000)
await scrolled(await shownRows())
const begun = Date.now()
let count = 0
while (count < ROWS) {
  await page.evaluate(() => document.querySelector('.more')?.scrollIntoView())
  await page.waitForTimeout(20)
  count = await shownRows()
  if (await page.locator('.problem').count()) throw new Error(await page.locator('.problem').textContent())
  if (!(await page.locator('.more').count())) break
}
found[`${count} results loaded`] = `${((Date.now() - begun) / 1000).toFixed(0)} s`
await scrolled(count)
const jumps = await page.evaluate(async () => {
  const times = []
  for (let at = 1; at <= 10; at += 1) {
    const start = performance.now()
    scrollTo(0, (document.documentElement.scrollHeight * at) / 11)
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
    times.push(performance.now() - start)
  }
  return times
})
found['a jump within the list'] = shown(jumps)
found['layout shift (CLS), whole session'] = (await page.evaluate(() => globalThis.shift)).toFixed(4)
await browser.close()
process.stdout.write(JSON.stringify(found))
