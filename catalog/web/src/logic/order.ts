/** Names and paths as people order them: what is numbered goes by its number. */
export const inOrder = new Intl.Collator('en', { numeric: true })
