// A chart with its legend, the table behind it, and the buttons that save both.

import { make } from "../base/elements.js";
import { chartLibrary } from "../charts/library.js";
import { saveButtons } from "./download.js";
import { csvOf, tableBehind } from "./table.js";

const MISSING = "Charts need the Python package lightweight-charts beside the gateway; the table has the same data.";
const LIBRARY = "https://www.tradingview.com/";

/** Keeps a chart and what stands behind it. */
export class ChartBox {
  #draw;
  #table;
  #chart = null;
  #closed = false;
  #box;
  #note = make("span", { class: "credit" });

  /**
   * Begin with what there is.
   *
   * `name` is that of saved files, `label` says what is seen, `caption`, `columns()` and `rows()` make the table.
   * `open(library, box)` gives the chart and `draw(chart)` writes into it. `csv()` gives another text than the table's.
   */
  constructor({ name, label, style, legend, caption, columns, rows, csv, open, draw }) {
    const labelled = `${label}; the table below has the same data`;
    this.#draw = draw;
    this.#box = make("div", { class: `chart ${style ?? ""}`.trim(), role: "img", "aria-label": labelled });
    this.#table = tableBehind(caption, columns, rows);
    const text = csv ?? (() => csvOf(columns(), rows()));
    const { asCsv, asPng } = saveButtons(name, text, () => this.#chart.picture());
    const marks = legend.map((mark) => make("span", {}, mark));
    this.tools = [asCsv, asPng];
    this.parts = [this.#box, make("p", { class: "legend" }, marks, this.#note), this.#table.details];
    this.#open(open, asPng);
  }

  /** The chart; null before it is there, and where the library is not. */
  get chart() {
    return this.#chart;
  }

  /** Draw, and write the table, anew. */
  renew() {
    if (this.#chart) this.#draw(this.#chart);
    this.#table.renew();
  }

  close() {
    this.#closed = true;
    this.#chart?.close();
    this.#chart = null;
  }

  async #open(open, asPng) {
    const library = await chartLibrary();
    if (this.#closed) return;
    this.#box.hidden = library === null;
    asPng.hidden = library === null;
    this.#table.details.open = library === null;
    const credit = make("a", { href: LIBRARY, rel: "noreferrer" }, "TradingView Lightweight Charts™");
    this.#note.replaceChildren(...(library ? ["Drawn by ", credit, ", Apache License 2.0."] : [MISSING]));
    if (library) this.#chart = open(library, this.#box);
    this.renew();
  }
}
