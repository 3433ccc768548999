// What was predicted beside what happened.

import { byTime, Frame, QUIET } from "./frame.js";
import { hitMark } from "./marks.js";

/** The chart of past predictions, each where its horizon ended. */
export class PastChart extends Frame {
  #happened;
  #predicted;
  #marks = [];

  constructor(library, box) {
    super(library, box);
    const { chart } = this;
    this.#predicted = chart.addLineSeries({ ...QUIET, lineWidth: 1, lineStyle: library.LineStyle.Dashed });
    this.#happened = chart.addLineSeries({ ...QUIET, lineWidth: 2 });
    this.dress();
  }

  /** Show predictions, oldest first. */
  setPredictions(past) {
    const ordered = byTime(past, (each) => each.outcome?.matured_at ?? each.target_time);
    const matured = ordered.filter(([, each]) => each.outcome);
    this.#predicted.setData(ordered.map(([time, each]) => ({ time, value: each.price_target })));
    this.#happened.setData(matured.map(([time, each]) => ({ time, value: each.outcome.price })));
    this.#marks = matured
      .filter(([, each]) => each.outcome.hit !== null)
      .map(([time, each]) => ({ time, hit: each.outcome.hit }));
    this.dress();
    this.chart.timeScale().fitContent();
  }

  dressSeries(shades) {
    this.#predicted.applyOptions({ color: shades.link });
    this.#happened.applyOptions({ color: shades.faint });
    this.#happened.setMarkers(this.#marks.map((mark) => hitMark(mark, shades, "inBar")));
  }
}
