/** The filters of the address in the filter language of the API. */
export function filterOf(query: URLSearchParams): string {
  const parts: Record<string, unknown> = {}
  const tags = query.getAll('tag')
  if (tags.length) parts.tags = tags.length === 1 ? tags[0] : { $all: tags }
  for (const name of ['status', 'visibility', 'owner', 'license', 'library']) {
    const value = query.get(name)
    if (value) parts[name] = value
  }
  const alias = query.get('alias')
  if (alias) parts['aliases.name'] = alias
  const stage = query.get('stage')
  if (stage) parts.stages = stage
  return Object.keys(parts).length ? JSON.stringify(parts) : ''
}
