// What was predicted beside what happened.

import { chartTime, Frame } from "./frame.js";

const QUIET = { priceLineVisible: false, lastValueVisible: false };

/** The chart of past predictions, each where its horizon ended. */
export class PastChart {
  #frame;
  #happened;
  #predicted;
  #marks = [];

  constructor(library, box) {
    this.#frame = new Frame(library, box, (shades) => this.#dress(shades));
    const { chart } = this.#frame;
    this.#predicted = chart.addLineSeries({ ...QUIET, lineWidth: 1, lineStyle: library.LineStyle.Dashed });
    this.#happened = chart.addLineSeries({ ...QUIET, lineWidth: 2 });
    this.#frame.dress();
  }

  /** Show predictions, oldest first. */
  setPredictions(past) {
    const byTime = new Map(past.map((each) => [chartTime(each.outcome?.matured_at ?? each.target_time), each]));
    const ordered = [...byTime].sort(([one], [other]) => one - other);
    const matured = ordered.filter(([, each]) => each.outcome);
    this.#predicted.setData(ordered.map(([time, each]) => ({ time, value: each.price_target })));
    this.#happened.setData(matured.map(([time, each]) => ({ time, value: each.outcome.price })));
    this.#marks = matured
      .filter(([, each]) => each.outcome.hit !== null)
      .map(([time, each]) => ({ time, hit: each.outcome.hit }));
    this.#frame.dress();
    this.#frame.chart.timeScale().fitContent();
  }

  picture() {
    return this.#frame.picture();
  }

  close() {
    this.#frame.close();
  }

  #dress(shades) {
    this.#predicted.applyOptions({ color: shades.link });
    this.#happened.applyOptions({ color: shades.faint });
    this.#happened.setMarkers(
      this.#marks.map(({ time, hit }) => ({
        time,
        position: "inBar",
        shape: hit ? "circle" : "square",
        color: hit ? shades.up : shades.down,
        size: hit ? 0.6 : 0.9,
      })),
    );
  }
}
