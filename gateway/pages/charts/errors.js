// Mean errors over time, ours beside those of no change.

import { chartTime, Frame } from "./frame.js";

const QUIET = { priceLineVisible: false, lastValueVisible: false };
const PERCENT = { type: "custom", minMove: 0.0001, formatter: (value) => `${(100 * value).toFixed(2)}%` };

/** The chart of rolling errors. */
export class ErrorsChart {
  #frame;
  #ours;
  #noChange;

  constructor(library, box) {
    this.#frame = new Frame(library, box, (shades) => this.#dress(shades));
    const { chart } = this.#frame;
    const dashed = { lineWidth: 2, lineStyle: library.LineStyle.Dashed };
    this.#noChange = chart.addLineSeries({ ...QUIET, ...dashed, priceFormat: PERCENT });
    this.#ours = chart.addLineSeries({ ...QUIET, lineWidth: 2, priceFormat: PERCENT });
    this.#frame.dress();
  }

  /** Show what `rollingErrors` gives. */
  setErrors(errors) {
    const byTime = [...new Map(errors.map((each) => [chartTime(each.time), each]))].sort(
      ([one], [other]) => one - other,
    );
    this.#ours.setData(byTime.map(([time, each]) => ({ time, value: each.error })));
    this.#noChange.setData(byTime.map(([time, each]) => ({ time, value: each.noChange })));
    this.#frame.chart.timeScale().fitContent();
  }

  picture() {
    return this.#frame.picture();
  }

  close() {
    this.#frame.close();
  }

  #dress(shades) {
    this.#ours.applyOptions({ color: shades.link });
    this.#noChange.applyOptions({ color: shades.faint });
  }
}
