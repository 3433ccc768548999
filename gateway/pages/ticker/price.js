// The price of a ticker: candles as they form, indicators, what became of predictions, and the forecast as a fan.

import { make, say } from "../base/elements.js";
import { count, price, time } from "../base/format.js";
import { paintSoon } from "../base/painting.js";
import { keep, recall } from "../base/storage.js";
import { chartTime } from "../charts/frame.js";
import { PriceChart } from "../charts/price.js";
import { BarFeed } from "../data/bar_feed.js";
import { ChartBox } from "../parts/chart_box.js";
import { panel } from "../parts/panel.js";
import { Indicators } from "./indicators.js";
import { Pane } from "./pane.js";

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
  #ticker;
  #feed;
  #indicators;
  #box;
  #panes = new Map(); // name of an indicator -> its pane
  #standing = make("p", { class: "warn", hidden: true }); // why the candles stand still; the header has a line of its own
  #below = make("div", {});
  #horizons = null;
  #hits = new Map(); // end of a bar -> whether what was predicted of it was right
  #marked = Boolean(recall("marks", true));
  #closed = false;
  #drawBars = () => this.#renew();
  #drawForming = () => this.#showForming();

  constructor(context, ticker) {
    this.#ticker = ticker;
    const changed = (kind) => paintSoon(kind === "forming" ? this.#drawForming : this.#drawBars);
    this.#feed = new BarFeed(context, ticker, changed, (condition) => this.#tellConnection(condition));
    this.#indicators = new Indicators(context.api, ticker, () => this.#renew());
    this.#box = new ChartBox({
      name: `${ticker}-bars`,
      label: `Candles of ${ticker} with the forecast`,
      legend: [
        "┅ target of each horizon",
        "inner band: 95%",
        "outer band: 99%",
        "● below a bar: predicted rightly",
        "■ above: wrongly",
      ],
      caption: `Bars of ${ticker}, newest first (times in UTC)`,
      columns: () => this.#columns(),
      rows: () => this.#feed.book.all().reverse(),
      open: (library, box) => new PriceChart(library, box),
      draw: (chart) => this.#show(chart),
    });
    const tools = [...this.#indicators.switches, this.#marksSwitch(), ...this.#box.tools];
    const [chart, legend, ...rest] = this.#box.parts;
    const inside = [this.#standing, chart, legend, this.#below, ...rest];
    this.element = panel("Price and forecast", { wide: true, tools }, ...inside);
    this.#feed.open();
    this.load();
  }

  /** Show a prediction's horizons. */
  show({ horizons }) {
    this.#horizons = horizons;
    if (this.#box.chart) this.#showForecast(this.#box.chart);
  }

  /** Mark past predictions, as `/history` gives them, at the bars at whose end they proved right or wrong. */
  mark(past) {
    const judged = past.filter(({ outcome }) => outcome && outcome.hit !== null);
    this.#hits = new Map(judged.map(({ outcome }) => [outcome.matured_at, outcome.hit]));
    this.#renew();
  }

  /** Read the indicators that are switched on anew. */
  load() {
    return this.#indicators.load();
  }

  close() {
    this.#closed = true;
    this.#feed.close();
    for (const pane of this.#panes.values()) pane.close();
    this.#box.close();
  }

  #tellConnection({ state, text }) {
    if (state === "connecting") return; // what was said holds until it is live
    this.#standing.hidden = state === "live";
    say(this.#standing, `⚠ The candles stand still: ${text}`);
  }

  #renew() {
    if (this.#closed) return; // something was still being read
    this.#openPanes();
    this.#box.renew();
    for (const pane of this.#panes.values()) pane.renew();
  }

  #openPanes() {
    const wanted = new Map(this.#indicators.chosen().filter(([, { below }]) => below));
    for (const [name, pane] of this.#panes) {
      if (wanted.has(name)) continue;
      pane.close();
      this.#panes.delete(name);
    }
    for (const [name, indicator] of wanted) {
      if (this.#panes.has(name)) continue;
      const pane = new Pane(name, indicator, {
        ticker: this.#ticker,
        indicators: this.#indicators,
        bars: () => this.#feed.book.closed(),
        candles: () => this.#box.chart,
      });
      this.#panes.set(name, pane);
      this.#below.append(pane.element);
    }
  }

  #linesOnPrices() {
    const chosen = this.#indicators.chosen().filter(([, { below }]) => !below);
    return Object.assign({}, ...chosen.map(([, { lines }]) => lines));
  }

  #columns() {
    const ofIndicators = Object.entries(this.#linesOnPrices()).map(([head, line]) => {
      const value = (bar) => this.#indicators.value(line, bar);
      return { head, number: true, text: (bar) => price(value(bar)), value };
    });
    const result = (bar) => ({ true: "● right", false: "■ wrong" })[this.#hitAt(bar)] ?? "–";
    return [...COLUMNS, ...ofIndicators, ...(this.#marked ? [{ head: "Predicted", text: result }] : [])];
  }

  #hitAt(bar) {
    return this.#hits.get(bar.end);
  }

  #marksSwitch() {
    const button = make("button", { type: "button", "aria-pressed": `${this.#marked}` }, "Right and wrong");
    button.addEventListener("click", () => {
      this.#marked = !this.#marked;
      button.setAttribute("aria-pressed", this.#marked);
      keep("marks", this.#marked);
      this.#renew();
    });
    return button;
  }

  #show(chart) {
    const { book } = this.#feed;
    if (book.last === null) return;
    chart.setBars(book.all());
    chart.setIndicators(this.#indicators.points(this.#linesOnPrices(), book.closed()));
    const marked = this.#marked ? book.closed().filter((bar) => this.#hits.has(bar.end)) : [];
    chart.setMarks(marked.map((bar) => ({ time: chartTime(bar.start), hit: this.#hitAt(bar) })));
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
