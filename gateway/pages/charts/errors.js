// Mean errors over time, ours beside those of no change.

import { byTime, Frame, QUIET } from "./frame.js";

const PERCENT = { type: "custom", minMove: 0.0001, formatter: (value) => `${(100 * value).toFixed(2)}%` };

/** The chart of rolling errors. */
export class ErrorsChart extends Frame {
  #ours;
  #noChange;

  constructor(library, box) {
    super(library, box);
    const { chart } = this;
    const dashed = { lineWidth: 2, lineStyle: library.LineStyle.Dashed };
    this.#noChange = chart.addLineSeries({ ...QUIET, ...dashed, priceFormat: PERCENT });
    this.#ours = chart.addLineSeries({ ...QUIET, lineWidth: 2, priceFormat: PERCENT });
    this.dress();
  }

  /** Show what `rollingErrors` gives. */
  setErrors(errors) {
    const ordered = byTime(errors, (each) => each.time);
    this.#ours.setData(ordered.map(([time, each]) => ({ time, value: each.error })));
    this.#noChange.setData(ordered.map(([time, each]) => ({ time, value: each.noChange })));
    this.fit(ordered.map(([time]) => time));
  }

  dressSeries(shades) {
    this.#ours.applyOptions({ color: shades.link });
    this.#noChange.applyOptions({ color: shades.faint });
  }
}
