/** Verdicts of the inspection, as chips show them. */

/** The tone of a chip that shows a verdict. */
export const verdictTone = (verdict: string): string =>
  verdict.startsWith('threat') ? 'danger' : verdict === 'no known threat found' ? 'good' : 'warn'

/** A verdict for the narrow column of a table. */
export const shortVerdict = (verdict: string): string =>
  verdict === 'no known threat found' ? 'no known threat' : verdict
