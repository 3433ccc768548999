// The rolling hit rate in words and as a table. Pure.

import { bars, count, fineShare, points, time } from "../base/format.js";
import { verdict } from "./words.js";

/** Dates without which a rate jumps too much to be a line. */
const LEAST_DATES = 20;

/** Give the points that are worth a line. */
export const drawable = (all) => all.filter((point) => point.dates >= LEAST_DATES);

const between = (low, high, text) => (low === null ? "–" : `${text(low)} to ${text(high)}`);

/** The columns of the table, one row a point. */
export const ROLLING = [
  { head: "Up to (UTC)", text: (each) => time(each.through), value: (each) => each.through },
  { head: "Dates", number: true, text: (each) => count(each.dates), value: (each) => each.dates },
  { head: "Cases", number: true, text: (each) => count(each.trials), value: (each) => each.trials },
  { head: "Right", number: true, text: (each) => fineShare(each.hit_rate), value: (each) => each.hit_rate },
  {
    head: "Surely between (95%)",
    number: true,
    text: (each) => between(each.hit_rate_low, each.hit_rate_high, fineShare),
  },
  {
    head: "Usual direction",
    number: true,
    text: (each) => fineShare(each.baseline_hit_rate),
    value: (each) => each.baseline_hit_rate,
  },
  {
    head: "Difference, points",
    number: true,
    text: (each) => points(each.hit_rate_difference),
    value: (each) => 100 * each.hit_rate_difference,
  },
  {
    head: "Difference between (95%)",
    number: true,
    text: (each) => between(each.hit_rate_difference_low, each.hit_rate_difference_high, points),
  },
];

/** Say what the newest point says, and whether that can be told from chance. */
export function rollingWords({ points: all, horizon, window, dates_needed: needed, message }) {
  const last = all.at(-1);
  if (last === undefined) return message;
  const over = last.dates < window ? `On all ${last.dates} dates so far` : `On the last ${last.dates} dates`;
  const usual = `the usual direction in ${fineShare(last.baseline_hit_rate)}`;
  const ahead = `over ${horizon === 1 ? "the " : ""}${bars(horizon)}`;
  const said = `${over}, the direction ${ahead} was right in ${fineShare(last.hit_rate)}, ${usual}${surely(last)}.`;
  const waits = last.dates < needed ? ` From ${needed} dates on it can be said how sure that is.` : "";
  return `${said} ${verdict(last)}${waits}`;
}

function surely({ hit_rate_difference_low: low, hit_rate_difference_high: high, hit_rate_difference: difference }) {
  if (low === null) return "";
  return `: a difference of ${points(difference)} points (between ${points(low)} and ${points(high)}, 95% sure)`;
}
