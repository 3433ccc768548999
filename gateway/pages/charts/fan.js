// The forecast as a fan: from the last close to the bands of each horizon. Pure.

import { chartTime } from "./frame.js";

const MOST_SLOTS = 500;

/**
 * Give the points of a fan, first the last closed bar: `{bars, time, target, bands: {95: [low, high], 99: …}}`. A chart
 * has a bar where it begins, so what is forecast for the end of a bar stands at its start too.
 */
export function fanPoints(lastBar, horizons) {
  const start = chartTime(lastBar.start);
  const barSeconds = chartTime(lastBar.end) - start;
  const close = lastBar.close;
  const points = [{ bars: 0, time: start, target: close, bands: { 95: [close, close], 99: [close, close] } }];
  for (const each of [...horizons].sort((one, other) => one.horizon - other.horizon)) {
    const time = chartTime(each.target_time) - barSeconds;
    const bands = { 95: band(each.interval_95), 99: band(each.interval_99) };
    if (time > points.at(-1).time) points.push({ bars: each.horizon, time, target: each.price_target, bands });
  }
  return points;
}

const band = (range) => (range ? [range.low, range.high] : null);

/** Give a time for every bar that the fan spans: a chart gives each time that it knows the same room. */
export function fanTimes(points) {
  if (points.at(-1).bars > MOST_SLOTS) return points.map((point) => point.time);
  const times = [points[0].time];
  for (let index = 1; index < points.length; index += 1) {
    const [from, to] = [points[index - 1], points[index]];
    const bars = to.time - from.time < to.bars - from.bars ? 1 : to.bars - from.bars; // times are whole seconds
    for (let bar = 1; bar <= bars; bar += 1) times.push(Math.round(from.time + (bar / bars) * (to.time - from.time)));
  }
  return times;
}
