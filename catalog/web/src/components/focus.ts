/** Before a row or a chip goes with its button: the focus of the keyboard goes to the next button there, or to the one before. */
export function passFocus(button: HTMLButtonElement): void {
  const all = [...(button.closest('.chips, ul')?.querySelectorAll('button') ?? [])]
  const at = all.indexOf(button)
  const next = all[at + 1] ?? all[at - 1]
  next?.focus()
}
