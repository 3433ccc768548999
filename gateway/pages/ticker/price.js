// The price of a ticker: candles as they form, indicators, and the forecast as a fan.

import { make } from "../base/elements.js";
import { price, count, time } from "../base/format.js";
import { paintSoon } from "../base/painting.js";
import { keep, recall } from "../base/storage.js";
import { inPath } from "../data/api.js";
import { BarFeed } from "../data/bar_feed.js";
import { chartTime } from "../charts/frame.js";
import { chartLibrary } from "../charts/library.js";
import { PriceChart } from "../charts/price.js";
import { saveButtons } from "../parts/download.js";
import { panel } from "../parts/panel.js";
import { csvOf, tableBehind, dataTable } from "../parts/table.js";

const SHOWN_BARS = 500;
/** Indicators that are prices, from those that the feature stage names. */
const INDICATORS = {
  "SMA 20": { top: (each) => each.sma_20 },
  "EMA 12": { top: (each) => each.ema_12 },
  "Bollinger 20": {
    top: (each) => each.sma_20 * (1 + each.bollinger_bandwidth / 2),
    bottom: (each) => each.sma_20 * (1 - each.bollinger_bandwidth / 2),
  },
};
const COLUMNS = [
  { head: "Bar", text: (bar) => time(bar.start), value: (bar) => bar.start },
  ...["open", "high", "low", "close"].map((name) => ({
    head: name[0].toUpperCase() + name.slice(1), number: true, text: (bar) => price(bar[name]), value: (bar) => bar[name],
  })),
  { head: "Volume", number: true, text: (bar) => count(bar.volume), value: (bar) => bar.volume },
];

/** The panel with a ticker's chart. */
export class PricePanel {
  #context;
  #ticker;
  #feed;
  #chart = null;
  #horizons = null;
  #table;
  #chosen = new Set(recall("indicators", []));
  #box = make("div", { class: "chart", role: "img" });
  #note = make("p", { class: "faint" });
  #drawLast = () => this.#showLast();
  #drawAll = () => this.#showAll();

  constructor(context, ticker) {
    this.#context = context;
    this.#ticker = ticker;
    this.#box.setAttribute("aria-label", `Candles of ${ticker} with the forecast; the table below has the same data`);
    this.#table = tableBehind(() => dataTable(`Bars of ${ticker}, newest first (times in UTC)`, COLUMNS, this.#newestFirst()));
    const { asCsv, asPng } = saveButtons(`${ticker}-bars`, () => csvOf(COLUMNS, this.#newestFirst()), () => this.#chart.picture());
    const switches = Object.keys(INDICATORS).map((name) => this.#switch(name));
    const legend = make("p", { class: "legend" }, "┅ target of each horizon", make("span", {}, "inner band: 95%"), make("span", {}, "outer band: 99%"));
    this.element = panel("Price and forecast", { wide: true, tools: [...switches, asCsv, asPng] }, this.#box, legend, this.#note, this.#table.details);
    this.#feed = new BarFeed(context, ticker, (kind) => this.#changed(kind)).open();
    this.#draw(asPng);
  }

  /** Show a prediction's horizons. */
  show({ horizons }) {
    this.#horizons = horizons;
    this.#showForecast();
  }

  close() {
    this.#feed.close();
    this.#chart?.close();
    this.#chart = null;
  }

  async #draw(asPng) {
    const library = await chartLibrary();
    if (!this.#box.isConnected) return;
    this.#box.hidden = library === null;
    if (library === null) {
      this.#note.textContent = "Charts need the Python package lightweight-charts beside the gateway; the table has the same data.";
      this.#table.details.open = true;
      return;
    }
    this.#note.replaceChildren("Charts by ", make("a", { href: "https://www.tradingview.com/", rel: "noreferrer" }, "TradingView Lightweight Charts™"), ". Apache License 2.0.");
    this.#chart = new PriceChart(library, this.#box);
    asPng.hidden = false;
    this.#showAll();
    for (const name of this.#chosen) this.#showIndicator(name);
  }

  #changed(kind) {
    if (kind === "all") paintSoon(this.#drawAll);
    else paintSoon(this.#drawLast);
    if (kind !== "forming") this.#renewIndicators();
  }

  #showAll() {
    const { book } = this.#feed;
    if (book.last === null) return;
    this.#chart?.setBars(book.all());
    this.#showForecast();
    this.#table.renew();
  }

  #showLast() {
    const { book } = this.#feed;
    if (this.#chart === null || book.last === null) return;
    try {
      this.#chart.setLast(book.last);
      if (book.forming) this.#chart.setLast(book.forming);
    } catch {
      this.#chart.setBars(book.all()); // the library takes no bar older than its last
    }
    this.#showForecast();
  }

  #showForecast() {
    const { last } = this.#feed.book;
    if (this.#chart && last && this.#horizons) this.#chart.setForecast(last, this.#horizons);
  }

  #newestFirst() {
    return this.#feed.book.all().reverse();
  }

  #switch(name) {
    const button = make("button", { type: "button", "aria-pressed": this.#chosen.has(name) }, name);
    button.addEventListener("click", () => {
      if (!this.#chosen.delete(name)) this.#chosen.add(name);
      button.setAttribute("aria-pressed", this.#chosen.has(name));
      keep("indicators", [...this.#chosen]);
      this.#showIndicator(name);
    });
    return button;
  }

  #renewIndicators() {
    for (const name of this.#chosen) if (name in INDICATORS) this.#showIndicator(name);
  }

  async #showIndicator(name) {
    const edges = Object.entries(INDICATORS[name] ?? {});
    const wanted = this.#chosen.has(name);
    const known = wanted ? await this.#indicators() : [];
    if (this.#chart === null || wanted !== this.#chosen.has(name)) return;
    for (const [edge, value] of edges) this.#chart.setIndicator(`${name} ${edge}`, wanted ? this.#points(known, value) : null);
  }

  async #indicators() {
    try {
      return (await this.#context.api.get(`/features/${inPath(this.#ticker)}?limit=${SHOWN_BARS}`)).features;
    } catch {
      return [];
    }
  }

  /** Indicators are of the end of a bar, which stands in the chart at its start. */
  #points(known, value) {
    const starts = new Map(this.#feed.book.closed().map((bar) => [bar.bar_index, chartTime(bar.start)]));
    return known
      .map(({ bar_index: index, indicators }) => ({ time: starts.get(index), value: value(indicators) }))
      .filter((point) => point.time !== undefined && Number.isFinite(point.value));
  }
}
