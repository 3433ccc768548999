// The price of a ticker: candles as they form, indicators, and the forecast as a fan.

import { count, price, time } from "../base/format.js";
import { paintSoon } from "../base/painting.js";
import { PriceChart } from "../charts/price.js";
import { BarFeed } from "../data/bar_feed.js";
import { ChartBox } from "../parts/chart_box.js";
import { panel } from "../parts/panel.js";
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
  #box;
  #horizons = null;
  #drawBars = () => this.#box.renew();
  #drawForming = () => this.#showForming();

  constructor(context, ticker) {
    this.#feed = new BarFeed(context, ticker, (kind) => {
      paintSoon(kind === "forming" ? this.#drawForming : this.#drawBars);
    });
    this.#indicators = new Indicators(
      context.api,
      ticker,
      () => this.#feed.book.closed(),
      (name, points) => this.#box.chart?.setIndicator(name, points),
    );
    this.#box = new ChartBox({
      name: `${ticker}-bars`,
      label: `Candles of ${ticker} with the forecast`,
      legend: ["┅ target of each horizon", "inner band: 95%", "outer band: 99%"],
      caption: `Bars of ${ticker}, newest first (times in UTC)`,
      columns: COLUMNS,
      rows: () => this.#feed.book.all().reverse(),
      open: (library, box) => this.#open(library, box),
      draw: (chart) => this.#show(chart),
    });
    const tools = [...this.#indicators.switches, ...this.#box.tools];
    this.element = panel("Price and forecast", { wide: true, tools }, ...this.#box.parts);
    this.#feed.open();
  }

  /** Show a prediction's horizons. */
  show({ horizons }) {
    this.#horizons = horizons;
    if (this.#box.chart) this.#showForecast(this.#box.chart);
  }

  /** Read the indicators that are switched on anew. */
  load() {
    this.#indicators.load();
  }

  close() {
    this.#feed.close();
    this.#box.close();
  }

  #open(library, box) {
    this.load();
    return new PriceChart(library, box);
  }

  #show(chart) {
    const { book } = this.#feed;
    if (book.last === null) return;
    chart.setBars(book.all());
    this.#showForecast(chart);
  }

  #showForming() {
    const { last, forming } = this.#feed.book;
    if (last && forming) this.#box.chart?.setForming(forming);
  }

  #showForecast(chart) {
    const { last } = this.#feed.book;
    if (last && this.#horizons) chart.setForecast(last, this.#horizons);
  }
}
