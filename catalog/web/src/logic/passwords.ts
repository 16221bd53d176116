const LETTERS = ['abcdefghijkmnopqrstuvwxyz', 'ABCDEFGHJKLMNPQRSTUVWXYZ', '23456789', '-+_.!'] as const
const LENGTH = 18

/** A random password with letters, digits and signs that are not mistaken for each other. */
export function randomPassword(): string {
  const all = LETTERS.join('')
  const characters = Array.from({ length: LENGTH }, (_, index) => {
    const from = LETTERS[index] ?? all
    return from[below(from.length)] as string
  })
  for (let index = characters.length - 1; index > 0; index -= 1) {
    const other = below(index + 1)
    const [one, another] = [characters[index] as string, characters[other] as string]
    characters[index] = another
    characters[other] = one
  }
  return characters.join('')
}

/** A random number below `most`, each as likely as the others. */
function below(most: number): number {
  const limit = 256 - (256 % most)
  const bytes = new Uint8Array(1)
  do crypto.getRandomValues(bytes)
  while ((bytes[0] as number) >= limit)
  return (bytes[0] as number) % most
}
