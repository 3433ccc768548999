// The rolling hit rate beside the baseline's, with how sure it is as a band.

import { Bands } from "./bands.js";
import { byTime, Frame, QUIET } from "./frame.js";

const SHARE = { type: "custom", minMove: 0.001, formatter: (value) => `${(100 * value).toFixed(1)}%` };

/** The chart of accuracy over time. */
export class AccuracyChart extends Frame {
  #ours;
  #usual;
  #band = new Bands();

  constructor(library, box) {
    super(library, box);
    const { chart } = this;
    const dashed = { lineWidth: 2, lineStyle: library.LineStyle.Dashed };
    this.#ours = chart.addLineSeries({ ...QUIET, lineWidth: 2, priceFormat: SHARE });
    this.#ours.attachPrimitive(this.#band);
    this.#usual = chart.addLineSeries({ ...QUIET, ...dashed, priceFormat: SHARE });
    this.dress();
  }

  /** Show points of `/accuracy?by=date`. */
  setPoints(points) {
    const ordered = byTime(points, (each) => each.through);
    this.#ours.setData(ordered.map(([time, each]) => ({ time, value: each.hit_rate })));
    this.#usual.setData(ordered.map(([time, each]) => ({ time, value: each.baseline_hit_rate })));
    this.#band.setPoints(ordered.map(bandAt));
    this.fit(ordered.map(([time]) => time));
  }

  dressSeries(shades) {
    this.#ours.applyOptions({ color: shades.link });
    this.#usual.applyOptions({ color: shades.faint });
    this.#band.dress(shades["fan-99"], shades["fan-95"]);
  }
}

function bandAt([time, { hit_rate: target, hit_rate_low: low, hit_rate_high: high }]) {
  return { time, target, bands: { 95: low === null ? null : [low, high] } };
}
