import { useState } from 'preact/hooks'
import { SERVER } from '../../api/client'
import { Code } from '../../components/parts'
import { Tabs } from '../../components/tabs'
import { snippets, type Used } from '../../logic/snippets'

/** The lines that fetch a version, for the places where people work. */
export function Use(used: Used) {
  const [shown, setShown] = useState('Python')
  const texts = Object.fromEntries(snippets(SERVER, used).map((each) => [each.label, each.text]))
  const now = shown in texts ? shown : 'Python'
  const labels = Object.fromEntries(Object.keys(texts).map((label) => [label, label]))
  return (
    <section>
      <h2>Use it</h2>
      <Tabs label="Ways to use it" tabs={labels} now={now} onPick={setShown}>
        <Code>{texts[now] ?? ''}</Code>
      </Tabs>
    </section>
  )
}
