// The whole market in four figures: what it does, what is expected of it, how surely, and how often that was right. Pure.

import { arrow, bars, change, count, fineShare, NOTHING, share } from "../base/format.js";
import { at, sinceOpen } from "../data/market.js";

/** Give the tiles of the watch list; `score` is how right the horizon has been, as `/accuracy` says it, if that is known. */
export function summaryTiles(predictions, horizon, score) {
  const said = predictions.map((prediction) => at(prediction, horizon));
  const moves = said.map((one, index) => one.price_target / predictions[index].current_price - 1);
  return [marketTile(predictions), forecastTile(said, moves), sureTile(said), rightTile(score)];
}

function marketTile(predictions) {
  const title = "The market";
  const moves = predictions.map(sinceOpen).filter((move) => move !== null);
  if (moves.length === 0) return { title, value: NOTHING, note: "" };
  const up = moves.filter((move) => move > 0).length;
  const middle = median(moves);
  const tone = middle > 0 ? "up" : middle < 0 ? "down" : "";
  const note = `since the bar opened; median ${change(middle)}`;
  return { title, value: `${count(up)} of ${count(moves.length)} up`, note, tone };
}

function forecastTile(said, moves) {
  if (said.length === 0) return { title: "Forecast", value: NOTHING, note: "" };
  const number = (name) => said.filter(({ direction }) => direction === name).length;
  const counted = ["bullish", "bearish", "neutral"].map((name) => ({ name, number: number(name) }));
  const [most, ...others] = counted.sort((one, other) => other.number - one.number);
  return {
    title: `Forecast, ${bars(said[0].horizon)}`,
    value: `${arrow(most.name)} ${count(most.number)} ${most.name}`,
    note: `${others.map((one) => `${count(one.number)} ${one.name}`).join(", ")}; median ${change(median(moves))}`,
    tone: most.name,
  };
}

function sureTile(said) {
  const mean = said.reduce((sum, { confidence }) => sum + confidence, 0) / said.length;
  return { title: "How sure", value: share(mean), note: "of the direction, on average; a coin has 50%" };
}

function rightTile(score) {
  const title = "How often right";
  if (!score || score.hit_rate === null) return { title, value: NOTHING, note: "none has matured yet" };
  return { title, value: fineShare(score.hit_rate), note: `of ${count(score.trials)} directions${beside(score)}` };
}

function beside({ hit_rate_low: low, hit_rate_high: high, baseline_hit_rate: usual, ...score }) {
  if (usual !== null) return `; always naming the usual one: ${fineShare(usual)}, ${difference(score)}`;
  return low === null ? "" : ` (${share(low)} to ${share(high)}, 95% sure)`;
}

function difference({ hit_rate_difference_low: low, hit_rate_difference_high: high }) {
  if (low === null) return "too early to compare";
  return low > 0 || high < 0 ? "more apart than by chance" : "which may be chance";
}

function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
