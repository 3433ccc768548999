// The forecast as a fan: from the last close to the bands of each horizon. Pure, but for the drawing at the end.

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

/** Draws the bands below a series; a primitive of Lightweight Charts. */
export class Fan {
  #points = [];
  #shades = null;
  #chart = null;
  #series = null;
  #redraw = () => {};

  attached({ chart, series, requestUpdate }) {
    [this.#chart, this.#series, this.#redraw] = [chart, series, requestUpdate];
  }

  /** Show these points. */
  setPoints(points) {
    this.#points = points;
    this.#redraw();
  }

  /** Put on colours: the wide band's, then the narrow one's. */
  dress(wide, narrow) {
    this.#shades = { 99: wide, 95: narrow };
    this.#redraw();
  }

  updateAllViews() {}

  paneViews() {
    return [{ zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.#draw(target) }) }];
  }

  autoscaleInfo() {
    const edges = this.#points.flatMap((point) => point.bands[99] ?? [point.target]);
    return edges.length === 0 ? null : { priceRange: { minValue: Math.min(...edges), maxValue: Math.max(...edges) } };
  }

  #draw(target) {
    if (this.#shades === null) return;
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio, verticalPixelRatio }) => {
      for (const level of [99, 95]) {
        const corners = this.#corners(level);
        if (corners.length < 4) continue;
        context.fillStyle = this.#shades[level];
        context.beginPath();
        for (const [x, y] of corners) context.lineTo(x * horizontalPixelRatio, y * verticalPixelRatio);
        context.fill();
      }
    });
  }

  #corners(level) {
    const known = this.#points.filter((point) => point.bands[level]);
    const corner = (edge) => (point) => [
      this.#chart.timeScale().timeToCoordinate(point.time),
      this.#series.priceToCoordinate(point.bands[level][edge]),
    ];
    const corners = [...known.map(corner(1)), ...known.reverse().map(corner(0))];
    return corners.every(([x, y]) => x !== null && y !== null) ? corners : [];
  }
}
