import type { Kind } from '../api/client'

export interface Snippet {
  label: string
  text: string
}

/** A word of a shell: quoted if it has to be. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

/** How to use one version of an item from the places where people work. */
export function snippets(server: string, kind: Kind, name: string, which = 'latest'): Snippet[] {
  const reference = `${name}@${which}`
  const option = kind === 'models' ? '' : ` --kind ${kind}`
  const path = `/v1/${kind}/${encodeURIComponent(name)}/versions/${encodeURIComponent(which)}`
  return [
    {
      label: 'Python',
      text: `from catalog.client import Catalog\n\nwith Catalog("${server}") as catalog:\n    path = catalog.pull(${JSON.stringify(reference)}${kind === 'models' ? '' : `, kind="${kind}"`})`,
    },
    { label: 'CLI', text: `export CATALOG_URL=${server}\ncatalog pull ${shellWord(reference)}${option}` },
    { label: 'curl', text: `curl -OJ ${shellWord(server + path)} -H "Authorization: Bearer $CATALOG_TOKEN"` },
  ]
}
