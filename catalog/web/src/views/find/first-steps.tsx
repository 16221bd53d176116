import { SERVER } from '../../api/client'
import { Code } from '../../components/parts'
import { shellWord } from '../../logic/snippets'
import { address } from '../../router'
import { session } from '../../session'

/** What to do with a catalog that is empty, with commands for this very server and user. */
export function FirstSteps() {
  const now = session.value
  const login = [
    `catalog login -u ${shellWord(now?.username ?? '')}`,
    ...(now?.tenant ? ['-t', shellWord(now.tenant)] : []),
  ]
  return (
    <section>
      <h2>Nothing is here yet</h2>
      <p>
        <a href={address(['upload'])}>Upload a model</a> here, or push one on the command line:
      </p>
      <Code>{`pip install catalog
export CATALOG_URL=${shellWord(SERVER)}
${login.join(' ')}
catalog push iris model.onnx --tag flowers`}</Code>
      {now?.isAdmin && (
        <p>
          Then <a href={address(['admin', 'people'])}>add the people</a> who work with it.
        </p>
      )}
    </section>
  )
}
