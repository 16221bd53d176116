import { describe, expect, test } from 'vitest'
import { setClock } from '../src/api/clock'
import { age, size, value } from '../src/components/format'
import { anchorOf } from '../src/logic/card'
import { cardFieldsChange, changeOf, changeOfVersion, draftOf, type Said, typed } from '../src/logic/changes'
import { cells } from '../src/logic/csv'
import { filterOf } from '../src/logic/filters'
import { commonMetrics, namesOf, ordered, orderOf, orderText, serverSort } from '../src/logic/metrics'
import { shellWord, snippets } from '../src/logic/snippets'
import { offsetsOf, rangeOf, rowAt } from '../src/logic/window'
import { LEFT_OUT, withoutCommonFolder } from '../src/upload/dropped'

const item = {
  description: 'old',
  license: '',
  status: 'test',
  archived: false,
  tags: ['a', 'b'],
  metadata: [{ name: 'acc', value: 0.5 }],
} as unknown as Parameters<typeof draftOf>[0]

describe('an edit', () => {
  test('sends nothing when nothing changed', () => {
    expect(changeOf(item, draftOf(item))).toEqual({})
  })
  test('sends lists as what they lose and gain', () => {
    const draft = { ...draftOf(item), tags: ['b', 'c'], metadata: [{ name: 'acc', value: 0.75 }] }
    expect(changeOf(item, draft)).toEqual({
      tags: { remove: ['a'], add: ['c'] },
      metadata: { remove: [], add: [{ name: 'acc', value: 0.75 }] },
    })
  })
})

test.each([
  ['0.95', 0.95],
  ['1.10', '1.10'],
  ['007', '007'],
  ['1e400', '1e400'],
  ['true', true],
  ['', ''],
  ['3 apples', '3 apples'],
])('%s is typed as %s', (text, expected) => {
  expect(typed(text)).toBe(expected)
})

test('quoted cells hold separators, quotes and line ends', () => {
  expect(cells('a,"b,""c""\nd"\r\n1,2\n', ',')).toEqual([
    ['a', 'b,"c"\nd'],
    ['1', '2'],
  ])
})

test('several tags must all be there', () => {
  expect(filterOf(new URLSearchParams('tag=a&tag=b&status=test'))).toBe('{"tags":{"$all":["a","b"]},"status":"test"}')
  expect(filterOf(new URLSearchParams('q=iris'))).toBe('')
  expect(filterOf(new URLSearchParams('alias=champion&stage=staging'))).toBe(
    '{"aliases.name":"champion","stages":"staging"}',
  )
})

test('the numbers that most versions have are columns, and what has none comes last', () => {
  const rows = [0.1, 0.3, undefined, 0.2].map((acc) => ({
    metadata: acc === undefined ? [{ name: 'note', value: 'x' }] : [{ name: 'acc', value: acc }],
  }))
  expect(commonMetrics(rows)).toEqual(['acc'])
  const sorted = ordered(rows, { by: 'acc', ascending: false })
  expect(sorted.map((row) => row.metadata[0]?.value)).toEqual([0.3, 0.2, 0.1, 'x'])
})

test('a name is quoted for a shell', () => {
  expect(shellWord('iris@1')).toBe('iris@1')
  expect(shellWord("it's; rm -rf /")).toBe("'it'\\''s; rm -rf /'")
  const used = { kind: 'models', name: 'a b', ordinal: '2' } as const
  expect(snippets('http://x', used)[1]?.text).toContain("catalog pull 'a b@2'")
})

test('a version is used by its alias, and where clients cannot name it, there is no snippet', () => {
  const of = (more: object) => {
    const found = snippets('https://x:8443', { kind: 'models', name: 'iris', ordinal: 'beta', ...more })
    return Object.fromEntries(found.map((each) => [each.label, each.text]))
  }
  expect(of({}).MLflow).toBeUndefined()
  expect(of({ alias: 'champion' }).MLflow).toContain('download_artifacts("models:/iris@champion")')
  expect(of({ ordinal: '2', isMlflowModel: true }).MLflow).toContain('load_model("models:/iris/2")')
  expect(of({}).Kubeflow).toContain('"https://x", 8443')
  expect(of({ kind: 'datasets' }).Kubeflow).toBeUndefined()
})

test('a dropped folder gives paths within it, without the files of tools', () => {
  const found = ['m/a.bin', 'm/sub/b.bin'].map((path) => ({ path, file: {} as File }))
  expect(withoutCommonFolder(found).map(({ path }) => path)).toEqual(['a.bin', 'sub/b.bin'])
  expect(LEFT_OUT.test('m/.git/config')).toBe(true)
  expect(LEFT_OUT.test('m/git/config')).toBe(false)
})

test('values are as people read them', () => {
  expect([size(0), size(1536), size(5 * 2 ** 30)]).toEqual(['0 B', '1.5 KiB', '5.0 GiB'])
  expect([value(0.123456789), value(3), value(true)]).toEqual(['0.123457', '3', 'yes'])
  expect(age('2026-01-01T00:00:00Z', Date.parse('2026-01-03T00:00:00Z'))).toBe('2 days ago')
})

test('an order is read from the address and written to it, and the server gets the same', () => {
  for (const text of ['', 'acc', '-acc', '-']) expect(orderText(orderOf(text))).toBe(text)
  expect([serverSort(orderOf('-acc')), serverSort(orderOf('-'))]).toEqual([
    '{"metadata.acc":"asc"}',
    '{"number":"asc"}',
  ])
  const pairs = (value: string | number) => ({ metadata: [{ name: `${typeof value}s`, value }] })
  expect(namesOf([pairs('a'), pairs('b'), pairs(1)])).toEqual(['numbers', 'strings'])
})

test('of a long list the rows near the screen are drawn', () => {
  const offsets = offsetsOf(Array.from({ length: 1000 }, (_, index) => (index % 2 ? 10 : 20)))
  expect([offsets.at(-1), rowAt(offsets, 0), rowAt(offsets, 29.9), rowAt(offsets, 30), rowAt(offsets, 1e9)]).toEqual([
    15_000, 0, 1, 2, 999,
  ])
  expect(rangeOf(offsets, 1500, 1800, 4, 4)).toEqual({ from: 96, to: 128 })
  expect(rangeOf(offsets, 1501, 1801, 4, 4)).toEqual({ from: 96, to: 128 })
  expect([rangeOf(offsets, 14_900, 15_500, 4, 4).to, rangeOf(offsetsOf([]), 0, 900, 4, 4)]).toEqual([
    1000,
    { from: 0, to: 0 },
  ])
})

test('an undo of a version or a card gives back what was there, and leaves the rest', () => {
  const before: Said = {
    description: '',
    author: 'ada',
    stage: 'none',
    archived: false,
    pinned: false,
    metadata: [{ name: 'f1', value: 1 }],
  }
  const after: Said = { ...before, stage: 'staging', metadata: [{ name: 'auc', value: 2 }] }
  expect(changeOfVersion(before, before)).toEqual({})
  expect(changeOfVersion(after, before)).toEqual({
    stage: 'none',
    metadata: { remove: ['auc'], add: [{ name: 'f1', value: 1 }] },
  })

  const then = { license: 'MIT', tasks: ['a'], languages: [], tags: ['x'], datasets: ['1'], description: 'then' }
  const now = {
    ...then,
    license: 'mit',
    tasks: [],
    tags: ['x', 'y'],
    datasets: [{ _id: '1' }, '2'],
    description: 'now',
  }
  expect(cardFieldsChange(now as never, then as never)).toEqual({
    license: 'MIT',
    tasks: ['a'],
    tags: { remove: ['y'], add: [] },
    datasets: { remove: ['2'], add: [] },
  })
})

test('an age is as the clock of the server has it', () => {
  const tomorrow = new Date(Date.now() + 86_400_000)
  setClock(new Response('', { headers: { date: tomorrow.toUTCString() } }))
  expect(age(tomorrow.toISOString())).toMatch(/^now|second/)

  setClock(new Response('', { headers: { date: new Date().toUTCString() } }))
  expect(age(tomorrow.toISOString())).toBe('in 24 hours')
})

test.each([
  ['Intended use (2024)!', 'intended-use-2024'],
  ['Größe & 日本', 'größe--日本'],
])('the anchor of %s is %s', (heading, anchor) => {
  expect(anchorOf(heading)).toBe(anchor)
})
