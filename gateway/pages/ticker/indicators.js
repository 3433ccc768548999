// Indicators of a ticker that are prices, to be switched on in its chart.

import { make } from "../base/elements.js";
import { keep, recall } from "../base/storage.js";
import { inPath } from "../data/api.js";
import { chartTime } from "../charts/frame.js";

const SHOWN_BARS = 500;
/** By their names on the switches: the lines that each has, from what the feature stage names. */
const INDICATORS = {
  "SMA 20": { top: (each) => each.sma_20 },
  "EMA 12": { top: (each) => each.ema_12 },
  "Bollinger 20": {
    top: (each) => each.sma_20 * (1 + each.bollinger_bandwidth / 2),
    bottom: (each) => each.sma_20 * (1 - each.bollinger_bandwidth / 2),
  },
};

/** The switches; `draw(name, points)` gets a line's points, null to take it away. `closed()` gives the bars. */
export class Indicators {
  #api;
  #ticker;
  #closed;
  #draw;
  #chosen = new Set(recall("indicators", []).filter((name) => name in INDICATORS));

  constructor(api, ticker, closed, draw) {
    this.#api = api;
    this.#ticker = ticker;
    this.#closed = closed;
    this.#draw = draw;
    this.switches = Object.keys(INDICATORS).map((name) => this.#switch(name));
  }

  /** Read anew what is switched on. */
  async load() {
    if (this.#chosen.size === 0) return;
    const known = await this.#known();
    for (const name of this.#chosen) this.#show(name, known);
  }

  #switch(name) {
    const button = make("button", { type: "button", "aria-pressed": this.#chosen.has(name) }, name);
    button.addEventListener("click", () => {
      if (!this.#chosen.delete(name)) this.#chosen.add(name);
      button.setAttribute("aria-pressed", this.#chosen.has(name));
      keep("indicators", [...this.#chosen]);
      this.#show(name, null);
      this.load();
    });
    return button;
  }

  #show(name, known) {
    for (const [line, value] of Object.entries(INDICATORS[name])) {
      this.#draw(`${name} ${line}`, known && this.#points(known, value));
    }
  }

  async #known() {
    try {
      return (await this.#api.get(`/features/${inPath(this.#ticker)}?limit=${SHOWN_BARS}`)).features;
    } catch {
      return []; // no history: no line
    }
  }

  /** Indicators are of the end of a bar, which stands in the chart at its start. */
  #points(known, value) {
    const starts = new Map(this.#closed().map((bar) => [bar.bar_index, chartTime(bar.start)]));
    return known
      .map(({ bar_index: index, indicators }) => ({ time: starts.get(index), value: value(indicators) }))
      .filter((point) => point.time !== undefined && Number.isFinite(point.value));
  }
}
