import type { Kind } from '../api/client'

export interface Snippet {
  label: string
  text: string
}

/** Which version is used. The aliases move; the ordinal stays. */
export interface Used {
  kind: Kind
  name: string
  ordinal: string
  alias?: string | undefined
  /** Whether an `MLmodel` lies beside the files, so that MLflow knows how to load them. */
  isMlflowModel?: boolean
}

/** A word of a shell: quoted if it has to be. */
export const shellWord = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

const python = (text: string): string => JSON.stringify(text)

/** How to use one version of an item from the places where people work. */
export function snippets(server: string, used: Used): Snippet[] {
  const { kind, name } = used
  const which = used.alias ?? used.ordinal
  const reference = `${name}@${which}`
  const option = kind === 'models' ? '' : ` --kind ${kind}`
  const path = `/v1/${kind}/${encodeURIComponent(name)}/versions/${encodeURIComponent(which)}`
  return [
    {
      label: 'Python',
      text: `from catalog.client import Catalog\n\nwith Catalog("${server}") as catalog:\n    path = catalog.pull(${python(reference)}${kind === 'models' ? '' : `, kind="${kind}"`})`,
    },
    {
      label: 'CLI',
      text: `export CATALOG_URL=${shellWord(server)}\ncatalog pull ${shellWord(reference)}${option}`,
    },
    { label: 'curl', text: `curl -OJ ${shellWord(server + path)} -H "Authorization: Bearer $CATALOG_TOKEN"` },
    ...(kind === 'models' ? [...mlflow(server, used), kubeflow(server, used)] : []),
  ]
}

/** MLflow names versions by number or alias: a label of another kind cannot be used there. */
function mlflow(server: string, { name, ordinal, alias, isMlflowModel }: Used): Snippet[] {
  if (!alias && !/^\d+$/.test(ordinal)) return []
  const uri = python(`models:/${name}${alias ? `@${alias}` : `/${ordinal}`}`)
  const load = isMlflowModel
    ? `model = mlflow.pyfunc.load_model(${uri})`
    : `path = mlflow.artifacts.download_artifacts(${uri})`
  return [
    {
      label: 'MLflow',
      text: `# export MLFLOW_TRACKING_TOKEN=$CATALOG_TOKEN\nimport mlflow\n\nmlflow.set_registry_uri("${server}")\n${load}`,
    },
  ]
}

function kubeflow(server: string, { name, ordinal }: Used): Snippet {
  const isSecure = server.startsWith('https:')
  const port = new URL(server).port || (isSecure ? '443' : '80')
  const secure = isSecure ? '' : ', is_secure=False'
  return {
    label: 'Kubeflow',
    text: `import os\nfrom model_registry import ModelRegistry\n\nregistry = ModelRegistry(\n    "${server.replace(/:\d+$/, '')}", ${port}, author="me"${secure},\n    user_token=os.environ["CATALOG_TOKEN"],\n)\nprint(registry.get_model_artifact(${python(name)}, ${python(ordinal)}).uri)`,
  }
}
