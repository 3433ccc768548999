// Which indicators of a ticker are switched on, and what they say.

import { make } from "../base/elements.js";
import { keep, recall } from "../base/storage.js";
import { inPath } from "../data/api.js";
import { passes } from "../data/problem.js";
import { chartTime } from "../charts/frame.js";

const SHOWN_BARS = 500;
/**
 * By their names on the switches: the lines of each, from what the feature stage names. What is no price stands `below`
 * the candles, as `PaneChart` takes it.
 */
const INDICATORS = {
  "SMA 20": { lines: { "SMA 20": (each) => each.sma_20 } },
  "EMA 12": { lines: { "EMA 12": (each) => each.ema_12 } },
  "Bollinger 20": {
    lines: {
      "Bollinger top": (each) => bollinger(each, 1),
      "Bollinger bottom": (each) => bollinger(each, -1),
    },
  },
  "RSI 14": {
    lines: { RSI: (each) => each.rsi_14 },
    below: { levels: [30, 70], range: [0, 100], legend: ["━ RSI", "dotted: 30 and 70"] },
  },
  MACD: {
    lines: {
      MACD: (each) => each.macd,
      "MACD signal": (each) => each.macd_signal,
      "MACD difference": (each) => each.macd_histogram,
    },
    below: { columns: "MACD difference", legend: ["━ MACD", "┅ its signal", "columns: their difference"] },
  },
};

/** Give an edge of the band; null until its windows are filled. */
function bollinger({ sma_20: middle, bollinger_bandwidth: width }, side) {
  return middle === null || width === null ? null : middle * (1 + (side * width) / 2);
}

/** The switches, and what is known of what they switch on; `changed()` is called when either is another one. */
export class Indicators {
  #api;
  #ticker;
  #changed;
  #chosen = new Set(recall("indicators", []).filter((name) => name in INDICATORS));
  #known = new Map(); // bar_index -> its indicators

  constructor(api, ticker, changed) {
    this.#api = api;
    this.#ticker = ticker;
    this.#changed = changed;
    this.switches = Object.keys(INDICATORS).map((name) => this.#switch(name));
  }

  /** Give what is switched on, by name. */
  chosen() {
    return Object.entries(INDICATORS).filter(([name]) => this.#chosen.has(name));
  }

  /** Give what a line says of a bar; undefined where that is not known. */
  value(line, bar) {
    const known = this.#known.get(bar.bar_index);
    const value = known && line(known);
    return Number.isFinite(value) ? value : undefined;
  }

  /** Give the points of each line, by its name. Indicators are of the end of a bar, which stands at its start. */
  points(lines, bars) {
    return Object.fromEntries(
      Object.entries(lines).map(([name, line]) => [
        name,
        bars
          .map((bar) => ({ time: chartTime(bar.start), value: this.value(line, bar) }))
          .filter((point) => point.value !== undefined),
      ]),
    );
  }

  /** Read anew what is switched on. */
  async load() {
    const loaded = this.#chosen.size === 0 || (await this.#read());
    this.#changed();
    return loaded;
  }

  async #read() {
    try {
      const { features } = await this.#api.get(`/features/${inPath(this.#ticker)}?limit=${SHOWN_BARS}`);
      this.#known = new Map(features.map((each) => [each.bar_index, each.indicators]));
      return true;
    } catch (error) {
      return !passes(error); // no history: what is known stays
    }
  }

  #switch(name) {
    const button = make("button", { type: "button", "aria-pressed": `${this.#chosen.has(name)}` }, name);
    button.addEventListener("click", () => {
      if (!this.#chosen.delete(name)) this.#chosen.add(name);
      button.setAttribute("aria-pressed", this.#chosen.has(name));
      keep("indicators", [...this.#chosen]);
      this.load();
    });
    return button;
  }
}
