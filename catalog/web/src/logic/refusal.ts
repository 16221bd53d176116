/** They say that a request failed, and no more: the details say why. */
const UNTELLING = ['Resource not created', 'Search request error', 'Modify request error', 'Delete request error']

/** What the body of a refusal says, in the words of the server. */
export function sentenceOf({ message = '', details = '' }: { message?: string; details?: string } = {}): string {
  if (!details || !UNTELLING.includes(message)) return [message, details].filter(Boolean).join(': ')
  const why = details.replace(/^\w+ validation failed: /, '')
  return `${why.charAt(0).toUpperCase()}${why.slice(1).replace(/\.$/, '')}.`
}
