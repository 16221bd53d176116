import type { components } from '../api/schema'

export type Usage = components['schemas']['TenantUsage']

/** How much of the quota is used. It is 100 only when nothing is left. */
export function percentOf({ bytes, quota_bytes }: Pick<Usage, 'bytes' | 'quota_bytes'>): number {
  return Math.floor((100 * bytes) / quota_bytes)
}
