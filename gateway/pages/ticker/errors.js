// How far off past predictions were, over time, beside whoever says that nothing moves. Pure.

/** Predictions in a mean: enough that a line can be read, few enough that it moves. */
export const WINDOW = 20;

/**
 * Give the mean errors of the last predictions at each one that matured, oldest first: `{time, error, noChange, count}`,
 * in log return. `past` is newest first, as `/history` gives it; what does not count is left out.
 */
export function rollingErrors(past) {
  const matured = past.filter((each) => each.outcome?.counted).reverse();
  return matured.map(({ outcome }, index) => {
    const window = matured.slice(Math.max(0, index + 1 - WINDOW), index + 1);
    return {
      time: outcome.matured_at,
      error: mean(window.map((each) => Math.abs(each.log_return - each.outcome.log_return))),
      noChange: mean(window.map((each) => Math.abs(each.outcome.log_return))),
      count: window.length,
    };
  });
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Say how the newest mean compares. */
export function errorWords(errors) {
  const last = errors.at(-1);
  if (last === undefined) return "Nothing that counts has matured here yet.";
  const ratio = last.error / last.noChange;
  const verdict = ratio < 1 ? "closer than" : "no closer than";
  return `Over the last ${last.count}, predictions were ${verdict} “no change”: ${ratio.toFixed(2)} times its mean error.
    So few say little; “How right it has been” says what is certain.`.replace(/\s+/g, " ");
}
