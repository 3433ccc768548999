// The price of a ticker: candles as they form, indicators, and the forecast as a fan.

import { make } from "../base/elements.js";
import { price, count, time } from "../base/format.js";
import { paintSoon } from "../base/painting.js";
import { BarFeed } from "../data/bar_feed.js";
import { chartLibrary } from "../charts/library.js";
import { PriceChart } from "../charts/price.js";
import { saveButtons } from "../parts/download.js";
import { panel } from "../parts/panel.js";
import { csvOf, tableBehind } from "../parts/table.js";
import { Indicators } from "./indicators.js";

const COLUMNS = [
  { head: "Bar", text: (bar) => time(bar.start), value: (bar) => bar.start },
  ...["open", "high", "low", "close"].map((name) => ({
    head: name[0].toUpperCase() + name.slice(1),
    number: true,
    text: (bar) => price(bar[name]),
    value: (bar) => bar[name],
  })),
  { head: "Volume", number: true, text: (bar) => count(bar.volume), value: (bar) => bar.volume },
];

/** The panel with a ticker's chart. */
export class PricePanel {
  #feed;
  #indicators;
  #chart = null;
  #horizons = null;
  #table;
  #box = make("div", { class: "chart", role: "img" });
  #note = make("p", { class: "faint" });
  #drawForming = () => this.#showForming();
  #drawAll = () => this.#showAll();

  constructor(context, ticker) {
    this.#box.setAttribute("aria-label", `Candles of ${ticker} with the forecast; the table below has the same data`);
    this.#table = tableBehind(`Bars of ${ticker}, newest first (times in UTC)`, COLUMNS, () => this.#newestFirst());
    const { asCsv, asPng } = saveButtons(
      `${ticker}-bars`,
      () => csvOf(COLUMNS, this.#newestFirst()),
      () => this.#chart.picture(),
    );
    this.#indicators = new Indicators(
      context.api,
      ticker,
      () => this.#feed.book.closed(),
      (name, points) => this.#chart?.setIndicator(name, points),
    );
    const legend = make(
      "p",
      { class: "legend" },
      "┅ target of each horizon",
      make("span", {}, "inner band: 95%"),
      make("span", {}, "outer band: 99%"),
    );
    this.element = panel(
      "Price and forecast",
      { wide: true, tools: [...this.#indicators.switches, asCsv, asPng] },
      this.#box,
      legend,
      this.#note,
      this.#table.details,
    );
    this.#feed = new BarFeed(context, ticker, (kind) => this.#changed(kind)).open();
    this.#draw(asPng);
  }

  /** Show a prediction's horizons. */
  show({ horizons }) {
    this.#horizons = horizons;
    this.#showForecast();
  }

  /** Read the indicators that are switched on anew. */
  load() {
    this.#indicators.load();
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
      this.#note.textContent =
        "Charts need the Python package lightweight-charts beside the gateway; the table has the same data.";
      this.#table.details.open = true;
      return;
    }
    this.#note.replaceChildren(
      "Charts by ",
      make("a", { href: "https://www.tradingview.com/", rel: "noreferrer" }, "TradingView Lightweight Charts™"),
      ". Apache License 2.0.",
    );
    this.#chart = new PriceChart(library, this.#box);
    asPng.hidden = false;
    this.#showAll();
    this.load();
  }

  #changed(kind) {
    if (kind === "forming") return paintSoon(this.#drawForming);
    this.#table.renew();
    return paintSoon(this.#drawAll);
  }

  #showAll() {
    const { book } = this.#feed;
    if (book.last === null) return;
    this.#chart?.setBars(book.all());
    this.#showForecast();
  }

  #showForming() {
    const { last, forming } = this.#feed.book;
    if (last && forming) this.#chart?.setForming(forming);
  }

  #showForecast() {
    const { last } = this.#feed.book;
    if (this.#chart && last && this.#horizons) this.#chart.setForecast(last, this.#horizons);
  }

  #newestFirst() {
    return this.#feed.book.all().reverse();
  }
}
