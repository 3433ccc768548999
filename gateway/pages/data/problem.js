// What is said instead of what was asked for, and whether that passes.

/** What the gateway answered instead of what was asked for. */
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail ?? `the gateway answered ${status}`);
    this.status = status;
  }
}

/** Tell whether another try may go better: nothing answered, or what it needs is away or busy. */
export const passes = ({ status }) => status === undefined || status === 429 || status >= 500;
