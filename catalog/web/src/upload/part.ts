import type { ReadonlySignal } from '@preact/signals'
import type { Kind } from '../api/client'

export type Phase = 'waiting' | 'hashing' | 'sending' | 'interrupted' | 'paused' | 'done' | 'failed'

/** What the server needs to know of files. `version`: of files of a draft. */
export interface Target {
  kind: Kind
  item: string
  description?: string
  version?: string
}

/** What is sent on its own: a file, or a batch of small ones. */
export interface Part {
  readonly label: string
  readonly files: number
  readonly size: number
  readonly phase: ReadonlySignal<Phase>
  /** Bytes that were sent. */
  readonly sent: ReadonlySignal<number>
  /** Bytes a second. */
  readonly speed: ReadonlySignal<number>
  /** Send the files of a draft, but for those that are there, whose digests are given by path. */
  sendUnlessThere(to: Target, there: Map<string, string>): Promise<void>
  pause(): void
  resume(): void
}
