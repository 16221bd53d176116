import { describe, expect, test } from 'vitest'
import type { components } from '../src/api/schema'
import { type Access, reasons } from '../src/logic/access'
import { bytesOf } from '../src/logic/bytes'
import { type Comparison, change, heights, metricsOf, plotOf, plotted } from '../src/logic/comparison'
import { journalFilter } from '../src/logic/journal'
import { type Lineage, tree, visible } from '../src/logic/lineage'
import { randomPassword } from '../src/logic/passwords'
import { sentenceOf } from '../src/logic/refusal'
import { policyOf, type Rule, shownRule } from '../src/logic/retention'
import { csv } from '../src/logic/table'
import { folderOf } from '../src/logic/tree'

const row = (name: string, values: (number | string | null)[], differs = true) => ({
  name,
  values,
  differs,
  change: [],
})

const compared = {
  versions: [
    { ordinal: '1', aliases: [] },
    { ordinal: '2', aliases: ['champion'] },
    { ordinal: '3', aliases: [] },
  ],
  metadata: [
    row('epochs', [3, 4, 5]),
    row('auc', [0.7, null, 0.9]),
    row('note', ['a', 'b', null]),
    row('same', [1, 1, 1], false),
    row('once', [null, 2, null]),
  ],
} as unknown as Comparison

describe('a refusal', () => {
  test('says why, without words that say only that something failed', () => {
    const message = 'Resource not created'
    expect(sentenceOf({ message, details: 'User validation failed: the name is taken' })).toBe('The name is taken.')
    expect(sentenceOf({ message: 'Wrong password', details: 'try again' })).toBe('Wrong password: try again')
    expect(sentenceOf({ message })).toBe(message)
  })
})

describe('a comparison', () => {
  test('plots numbers that two versions have, results before settings, what differs first', () => {
    expect(metricsOf(compared)).toEqual(['auc', 'epochs', 'same'])
  })
  test('takes the plot from the address, and knows what the versions have', () => {
    const metrics = metricsOf(compared)
    const plot = plotOf(new URLSearchParams('plot=scatter&x=epochs&y=nowhere'), metrics)
    expect(plot).toMatchObject({ kind: 'scatter', x: 'epochs', y: 'auc' })
    expect(plotted(compared, plot)).toEqual({
      head: ['version', 'epochs', 'auc'],
      rows: [
        ['1', 3, 0.7],
        ['2 @champion', 4, null],
        ['3', 5, 0.9],
      ],
    })
    expect(plotOf(new URLSearchParams('plot=__proto__'), metrics).kind).toBe('line')
  })
  test('draws bars of what differs much in size as shares of the largest', () => {
    const table = (second: number) => ({
      head: ['version', 'auc', 'epochs'],
      rows: [
        ['1', 0.5, second],
        ['2', null, 40],
      ],
    })
    expect(heights(table(20))).toEqual({
      isShare: true,
      rows: [
        [1, 0.5],
        [null, 1],
      ],
    })
    expect(heights({ head: ['version', 'a', 'b'], rows: [['1', 0.5, -2]] })).toEqual({
      isShare: false,
      rows: [[0.5, -2]],
    })
  })
  test('says by how much a number differs', () => {
    expect([change(0.020000000000000018), change(-40), change(0), change(null)]).toEqual(['+0.02', '−40', '', ''])
  })
})

test('a CSV keeps separators and quotes, and no text is a formula', () => {
  const table = {
    head: ['a', 'b'],
    rows: [
      ['x,"y"', null],
      ['=1+1', -2],
    ],
  } satisfies Parameters<typeof csv>[0]
  expect(csv(table)).toBe('a,b\r\n"x,""y""",\r\n\'=1+1,-2\r\n')
})

describe('a lineage', () => {
  const node = (id: string, distance: number) => ({ id, distance })
  const found = {
    root: 'm',
    nodes: [node('m', 0), node('d', -1), node('t', -1), node('raw', -2), node('child', 1)],
    edges: [
      { source: 'd', target: 'm' },
      { source: 't', target: 'm' },
      { source: 'raw', target: 'd' },
      { source: 'raw', target: 't' },
      { source: 'm', target: 'child' },
    ],
  } as unknown as Lineage
  const shown = (closed: string[]) => visible(found, new Set(closed)).nodes.map((each) => each.id)

  test('hides what only collapsed nodes lead to', () => {
    expect(shown([])).toEqual(['m', 'd', 't', 'raw', 'child'])
    expect(shown(['d'])).toContain('raw')
    expect(shown(['d', 't'])).toEqual(['m', 'd', 't', 'child'])
  })
  test('is a tree, in which a node is shown in full once', () => {
    const up = tree(found, 'up')
    expect(up.map((branch) => [branch.node.id, branch.branches.map((each) => each.again)])).toEqual([
      ['d', [false]],
      ['t', [true]],
    ])
  })
})

test('a random password is strong, and another each time', () => {
  const password = randomPassword()
  for (const kind of [/[a-z]/, /[A-Z]/, /[0-9]/, /[-+_.!]/]) expect(password).toMatch(kind)
  expect(randomPassword()).not.toBe(password)
})

test.each([
  ['', 0],
  ['10G', 10 * 2 ** 30],
  ['1.5 GiB', 1.5 * 2 ** 30],
  ['500 MB', 500 * 2 ** 20],
  ['7', 7],
])('%s is a number of bytes', (text, bytes) => {
  expect(bytesOf(text)).toBe(bytes)
})

test('what is no size is a sentence', () => {
  expect(() => bytesOf('much')).toThrow('not a size')
})

test('people learn why they see an item', () => {
  const grant = (_id: string, name: string, kind: string, may: string) => ({ _id, name, kind, may })
  const access = {
    visibility: 'private',
    grants: [grant('1', 'ada', 'user', 'manage'), grant('2', 'vision', 'group', 'read')],
  } as components['schemas']['ItemAccess'] as Access
  const reader = { userId: '3', isAdmin: false }
  expect(reasons(access, reader, ['2'])).toBe('You see it because this item of ada is shared with your group vision.')
  access.grants[1] = { ...(access.grants[1] as Access['grants'][number]), shared_by: 'ada' }
  expect(reasons(access, reader, ['2'])).toBe('You see it because ada has shared it with your group vision.')
  expect(reasons(access, { userId: '1', isAdmin: true }, [])).toBe(
    'You see it because it is yours, and because you are an administrator.',
  )
})

test('the journal is filtered by what the address says', () => {
  const query = new URLSearchParams('user=ada&path=a.b&result=refused&since=day')
  expect(JSON.parse(journalFilter(query, Date.parse('2026-01-02T00:00:00Z')))).toEqual({
    user: 'ada',
    path: { $regex: 'a\\.b' },
    result: { $gte: 400 },
    date: { $gte: '2026-01-01T00:00:00.000Z' },
  })
})

test('files are a tree, in which folders that hold one folder alone are one', () => {
  const file = (path: string, size: number) => ({ path, size })
  const root = folderOf([file('a/b/x.bin', 1), file('a/b/y.bin', 2), file('c/z', 4), file('c/d/w', 8), file('top', 16)])
  const shown = (folder: typeof root): unknown => [
    folder.name,
    folder.count,
    folder.size,
    ...folder.folders.map(shown),
    ...folder.files.map((each) => each.path),
  ]
  expect(shown(root)).toEqual([
    '',
    5,
    31,
    ['a/b', 2, 3, 'a/b/x.bin', 'a/b/y.bin'],
    ['c', 2, 12, ['d', 1, 8, 'c/d/w'], 'c/z'],
    'top',
  ])
})

test('a policy is read from texts, and what is no number is a sentence', () => {
  const policy = {
    keep_versions: 5,
    trash_bytes: 10 * 2 ** 30,
    trash_days: null,
    log_days: 0,
    log_bytes: 1234567,
    terms_days: null,
  }
  const texts = Object.fromEntries(Object.keys(policy).map((rule) => [rule, shownRule(rule as Rule, policy)]))
  expect(texts).toMatchObject({ trash_bytes: '10 GiB', trash_days: '', log_days: '0', log_bytes: '1234567 B' })
  expect(policyOf((rule) => texts[rule] ?? '')).toEqual(policy)
  expect(() => policyOf(() => '1.5')).toThrow('not a whole number')
})
