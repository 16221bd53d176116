import type { ComponentChildren } from 'preact'

interface Props {
  /** What it is about, for who does not see its heading: "Group vision". */
  label: string
  title: string
  /** Shown below the title, as far as they are known. */
  facts: (string | false | null | undefined)[]
  /** The buttons beside the title. */
  actions: ComponentChildren
  children: ComponentChildren
}

/** One of several things that are administered, with what is set of it. */
export function Panel({ label, title, facts, actions, children }: Props) {
  return (
    <section class="panel" aria-label={label}>
      <header class="dialog-head">
        <div>
          <h3>{title}</h3>
          <p class="muted">{facts.filter(Boolean).join(' · ')}</p>
        </div>
        <div class="actions">{actions}</div>
      </header>
      {children}
    </section>
  )
}
