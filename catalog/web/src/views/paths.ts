import { KINDS, type Kind } from '../api/client'

export const isKind = (word: string | undefined): word is Kind => (KINDS as (string | undefined)[]).includes(word)

/** The path of an item of any kind, which the types know as that of a model: all kinds answer alike. */
export const itemPath = (kind: Kind) => `/v1/${kind}/{key}` as '/v1/models/{key}'
