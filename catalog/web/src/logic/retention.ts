/** The rules of retention as fields of a form. An empty field is no rule. */
import type { components } from '../api/schema'
import { size } from '../components/format'
import { bytesOf } from './bytes'

export type Policy = components['schemas']['Retention']
export type Applied = components['schemas']['AppliedRetention']
export type OldVersion = components['schemas']['PrunedVersion']
export type Rule = keyof Policy

/** Each rule, with what it is called and whether it is a size. */
export const RULES: Record<Rule, { label: string; unit?: 'bytes'; empty: string }> = {
  keep_versions: { label: 'Newest versions of each item', empty: 'all' },
  trash_days: { label: 'Days in the trash', empty: 'server default' },
  trash_bytes: { label: 'Size of the trash', unit: 'bytes', empty: 'unlimited' },
  log_days: { label: 'Days in the journal', empty: 'server default' },
  log_bytes: { label: 'Size of the journal', unit: 'bytes', empty: 'server default' },
  terms_days: { label: 'Days before an unused term goes', empty: 'server default' },
}

export function shownRule(rule: Rule, policy: Policy): string {
  const value = policy[rule]
  if (value === null) return ''
  return RULES[rule].unit ? exactly(value) : String(value)
}

/** A size that reads back as the same number of bytes. */
function exactly(bytes: number): string {
  const rounded = size(bytes)
  return bytesOf(rounded) === bytes ? rounded : `${bytes} B`
}

/** The policy of texts. Throws an Error that is a sentence. */
export function policyOf(text: (rule: Rule) => string): Policy {
  const rules = Object.keys(RULES) as Rule[]
  return Object.fromEntries(rules.map((rule) => [rule, ruleOf(rule, text(rule).trim())])) as unknown as Policy
}

function ruleOf(rule: Rule, text: string): number | null {
  if (!text) return null
  if (RULES[rule].unit) return bytesOf(text)
  return wholeNumber(text, RULES[rule].label)
}

export function wholeNumber(text: string, label: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new Error(`${label}: ${text} is not a whole number.`)
  return Number(text)
}
