/** Requests of the operator. API_TOKEN is in the memory of this page alone: a reload forgets it. */
import { signal } from '@preact/signals'
import createClient from 'openapi-fetch'
import { AWAY, Refusal, SERVER, versioned } from './client'
import { setClock } from './clock'
import type { paths } from './schema'

export const operatorToken = signal('')

export const operator = createClient<paths>({
  baseUrl: SERVER,
  fetch: async (request: Request) => {
    const asked = versioned(request)
    asked.headers.set('Authorization', operatorToken.value)
    try {
      const answer = await fetch(asked, { credentials: 'omit' })
      setClock(answer)
      return answer
    } catch {
      throw new Refusal(0, AWAY)
    }
  },
})
