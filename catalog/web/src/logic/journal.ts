/** The filters of the journal, in the filter language of the API. */

const DAYS: Record<string, number> = { hour: 1 / 24, day: 1, week: 7 }

export function journalFilter(query: URLSearchParams, now = Date.now()): string {
  const parts: Record<string, unknown> = {}
  for (const name of ['user', 'method']) {
    const value = query.get(name)
    if (value) parts[name] = value
  }
  const path = query.get('path')
  if (path) parts.path = { $regex: path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') }
  const result = query.get('result')
  if (result === 'refused') parts.result = { $gte: 400 }
  if (result === 'failed') parts.result = { $gte: 500 }
  const days = DAYS[query.get('since') ?? '']
  if (days) parts.date = { $gte: new Date(now - days * 86_400_000).toISOString() }
  return Object.keys(parts).length ? JSON.stringify(parts) : ''
}
