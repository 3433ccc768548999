// Accuracy in words, with what cannot be known. Pure.

import { bars, fineShare, number, share } from "../base/format.js";

/** Say how right a horizon has been; one sentence a list entry. */
export function accuracyWords(score) {
  return [hitWords(score), verdict(score), errorWords(score), coverageWords(score)].filter(Boolean);
}

function hitWords(score) {
  if (score.hit_rate === null) return `Nothing to count yet in ${score.count} matured forecasts.`;
  const between =
    score.hit_rate_low === null
      ? ""
      : ` (between ${share(score.hit_rate_low)} and ${share(score.hit_rate_high)}, 95% sure)`;
  const usual =
    score.baseline_hit_rate === null
      ? ""
      : `; always naming the usual direction: ${fineShare(score.baseline_hit_rate)}`;
  return `The direction was right in ${fineShare(score.hit_rate)} of ${score.trials} cases on ${score.dates} dates${between}${usual}.`;
}

/** Say whether a hit rate can be told from that of the usual direction; null where there is none. */
export function verdict(score) {
  const { hit_rate_difference: difference, hit_rate_difference_low: low, hit_rate_difference_high: high } = score;
  if (score.hit_rate === null) return null;
  if (low === null && difference === 0) return "The usual direction was right just as often: that is no skill.";
  if (low === null) return "There are too few dates to tell skill from luck.";
  if (low > 0) return "That is better than the usual direction by more than chance explains.";
  return high < 0
    ? "That is worse than the usual direction by more than chance explains."
    : "The difference to the usual direction cannot be told from chance.";
}

function errorWords({ error_ratio: ratio, error_p_value: p }) {
  if (ratio === null) return null;
  const sure = p === null ? "too few dates to be sure" : p < 0.05 ? "more than chance" : "not to be told from chance";
  const than = ratio < 1 ? "smaller than" : "not smaller than";
  return `Its squared error is ${than} that of saying “no change” (${number(ratio)} times, ${sure}).`;
}

function coverageWords({ coverage_95: narrow, coverage_99: wide }) {
  if (narrow === null) return null;
  return `The 95% band held ${fineShare(narrow)} of prices${wide === null ? "" : `, the 99% band ${fineShare(wide)}`}.`;
}

/** Say what a prediction is, in a sentence. */
export function forecastWords(said, change) {
  return `${said.direction}: ${change} over ${said.horizon === 1 ? "the" : "the next"} ${bars(said.horizon)}, right with a probability of ${share(said.confidence)}`;
}
