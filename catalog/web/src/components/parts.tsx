/** Small parts that several views show. */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { address } from '../router'
import { passFocus } from './focus'
import { age, date } from './format'
import type { Loaded } from './hooks'
import { notify } from './notices'

export function Chip({ children, tone, onRemove, label }: ChipProps) {
  return (
    <span class={`chip ${tone ?? ''}`}>
      {children}
      {onRemove && (
        <button
          type="button"
          class="quiet"
          aria-label={`Remove ${label ?? ''}`}
          onClick={(event) => {
            passFocus(event.currentTarget)
            onRemove()
          }}
        >
          ✕
        </button>
      )}
    </span>
  )
}

interface ChipProps {
  children: ComponentChildren
  tone?: string
  label?: string
  onRemove?: () => void
}

export function Problem({ children }: { children: ComponentChildren }) {
  if (!children) return null
  return (
    <p class="problem" role="alert">
      {children}
    </p>
  )
}

interface LoadingProps<T> {
  of: Loaded<T>
  children: (data: T) => ComponentChildren
}

/** What is shown while something loads, and when it cannot be loaded. */
export function Loading<T>({ of, children }: LoadingProps<T>) {
  if (of.data !== undefined) return <>{children(of.data)}</>
  if (!of.error) return <p class="muted">Loading…</p>
  return <Failed error={of.error} onRetry={of.reload} />
}

/** The same for all of a view, which has a heading then. */
export function LoadingView<T>(props: LoadingProps<T>) {
  if (props.of.data !== undefined || !props.of.error) return <Loading {...props} />
  return (
    <section>
      <h1>This cannot be shown</h1>
      <Loading {...props} />
      <p>
        <a href={address([])}>Find models and datasets</a>
      </p>
    </section>
  )
}

export function Failed({ error, onRetry }: { error: string; onRetry: () => void }) {
  return (
    <div class="problem" role="alert">
      <p>{error}</p>
      <button type="button" onClick={onRetry}>
        Try again
      </button>
    </div>
  )
}

/** How long ago something was, or when it will be. The exact time is its tooltip. */
export function When({ moment }: { moment: string }) {
  return (
    <time dateTime={moment} title={date(moment)}>
      {age(moment)}
    </time>
  )
}

export function Copy({ text, label = 'Copy' }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
      setTimeout(() => setCopied(false), 1500)
    } catch {
      notify('The browser does not allow copying. Select the text instead.')
    }
  }
  return (
    <button type="button" class="small" onClick={copy}>
      {copied ? 'Copied' : label}
    </button>
  )
}

/** What is wider or longer than its place. It can be reached, and scrolled, by keyboard. */
export function Scroll({ label, tall, children }: { label: string; tall?: boolean; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class={`scroll ${tall ? 'tall' : ''}`} tabIndex={0} aria-label={label}>
      {children}
    </section>
  )
}

export function Code({ children }: { children: string }) {
  return (
    <div class="code">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and so must be reachable by keyboard */}
      <pre tabIndex={0}>{children}</pre>
      <Copy text={children} />
    </div>
  )
}
