/** One browser for all scenarios, and what is in the catalog that they begin with. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { addVersion, call, enter, launched, opened, tokenOf, URL_ } from './support.mjs'

export const PETALS = 'length,width\n5.1,3.5\n4.9,3.0\n'

/** The tokens of people, by name. */
export const people = {}

let browser

before(async () => {
  const [started] = await Promise.all([launched(), furnish()])
  browser = started
})

after(() => browser?.close())

/** A test with a page of its own. What the browser reports as an error fails it. */
export function scenario(title, act, options) {
  test(title, async () => {
    const own = await opened(browser, options)
    try {
      await act(own)
    } finally {
      await own.context.close()
    }
    assert.deepEqual(own.faults, [])
  })
}

/** Scenarios that change nothing, and so run beside each other. */
export const atOnce = (title, scenarios) => describe(title, { concurrency: true }, scenarios)

export async function openIris(page) {
  await enter(page)
  await page.goto(`${URL_}/#/models/iris`)
  await page.getByRole('heading', { name: 'iris', level: 1 }).waitFor()
}

const MODELS = {
  cats: [['animals', 'vision'], 'Tells cats from dogs in photographs'],
  roses: [['flowers'], 'Finds roses in pictures of gardens'],
  'bird-songs': [['animals', 'audio'], 'Names birds by their song'],
  iris: [['flowers', 'small'], 'Classifies irises by the size of their leaves'],
}

const VERSIONS = [
  { accuracy: 0.91, f1: 0.88, epochs: 10 },
  { accuracy: 0.95, f1: 0.93, epochs: 20 },
  { accuracy: 0.93, f1: 0.94, epochs: 30 },
]

async function furnish() {
  const ada = await tokenOf('ada')
  people.ada = ada
  for (const [name, [tags, description]] of Object.entries(MODELS)) {
    await call('POST', '/v1/models', { name, tags, visibility: 'public', description }, ada)
  }
  const fields = { name: 'petals', tags: ['flowers'], visibility: 'public', description: 'Leaves, measured by hand' }
  await call('POST', '/v1/datasets', fields, ada)
  await call('POST', '/v1/datasets', { name: 'field-notes', visibility: 'public' }, ada)
  await addVersion(ada, 'field-notes', 'Measured on a sunny day', 'notes.md', 'datasets')
  await addVersion(ada, 'petals', PETALS, 'petals.csv', 'datasets')
  await call('PUT', '/v1/datasets/petals/versions/1', { inputs: ['datasets/field-notes@1'] }, ada)
  for (const [index, values] of VERSIONS.entries()) {
    const which = index + 1
    await addVersion(ada, 'iris', JSON.stringify({ weights: [which / 10, 0.2, 0.7] }), 'weights.json')
    const add = Object.entries(values).map(([name, value]) => ({ name, value }))
    const inputs = which < 3 ? { inputs: ['datasets/petals@1'] } : {}
    await call('PUT', `/v1/models/iris/versions/${which}`, { metadata: { add }, ...inputs }, ada)
  }
}
