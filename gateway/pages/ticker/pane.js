// The panel of an indicator below the candles, with the table behind it.

import { make } from "../base/elements.js";
import { number, time } from "../base/format.js";
import { chartTime } from "../charts/frame.js";
import { link } from "../charts/linked.js";
import { PaneChart } from "../charts/pane.js";
import { ChartBox } from "../parts/chart_box.js";

/** Keeps an indicator's chart. */
export class Pane {
  #box;
  #ends = null; // of what ties it to the candles

  /** `bars()` gives the bars that closed; `candles()` the chart above, which is there when this one is. */
  constructor(name, { lines, below }, { ticker, indicators, bars, candles }) {
    const columns = [
      { head: "Bar", text: (bar) => time(bar.start), value: (bar) => bar.start },
      ...Object.entries(lines).map(([head, line]) => {
        const value = (bar) => indicators.value(line, bar);
        return { head, number: true, text: (bar) => number(value(bar)), value };
      }),
    ];
    this.#box = new ChartBox({
      name: `${ticker}-${name.toLowerCase().replaceAll(" ", "-")}`,
      label: `${name} of ${ticker}, below its candles`,
      style: "pane",
      legend: below.legend,
      caption: `${name} of ${ticker}, newest first (times in UTC)`,
      columns: () => columns,
      rows: () => bars().reverse(),
      open: (library, box) => new PaneChart(library, box, { ...below, names: Object.keys(lines) }),
      draw: (chart) => {
        this.#ends ??= [candles().onTimes((times) => chart.setTimes(times)), link(candles(), chart)];
        const last = bars().at(-1);
        if (last) chart.setBarSeconds(chartTime(last.end) - chartTime(last.start));
        chart.setPoints(indicators.points(lines, bars()));
      },
    });
    const head = make("div", { class: "head" }, make("h3", {}, name), make("div", { class: "bar" }, this.#box.tools));
    this.element = make("div", { role: "group", "aria-label": name }, head, ...this.#box.parts);
  }

  /** Draw, and write the table, anew. */
  renew() {
    this.#box.renew();
  }

  close() {
    for (const end of this.#ends ?? []) end();
    this.#box.close();
    this.element.remove();
  }
}
