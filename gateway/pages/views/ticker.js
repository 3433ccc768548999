// One ticker: its price and forecast, its past, its reasons.

import { make } from "../base/elements.js";
import { paintSoon } from "../base/painting.js";
import { AccuracyPanel } from "../ticker/accuracy.js";
import { forecastPanel } from "../ticker/forecast.js";
import { PastPanels } from "../ticker/past.js";
import { PricePanel } from "../ticker/price.js";
import { quotePanel } from "../ticker/quote.js";
import { reasonsPanel } from "../ticker/reasons.js";

const LOAD_MS = 5000; // what is read over REST is not read more often

/** Show a ticker. */
export function tickerView(context, argument) {
  return new TickerView(context, argument.toUpperCase());
}

class TickerView {
  #market;
  #ticker;
  #live;
  #loading;
  #known = "";
  #unknown = make("p", { class: "faint" });
  #draw = () => this.#show();
  #stops;

  constructor(context, ticker) {
    this.#market = context.market;
    this.#ticker = this.title = ticker;
    const quote = quotePanel(ticker);
    const forecast = forecastPanel();
    const reasons = reasonsPanel(context, ticker);
    const prices = new PricePanel(context, ticker);
    const past = new PastPanels(context, ticker, (read) => prices.mark(read));
    const accuracy = new AccuracyPanel(context, ticker);
    this.#live = [quote, forecast, prices, past, accuracy];
    this.#loading = [prices, past, accuracy, reasons];
    const cards = make(
      "div",
      { class: "cards" },
      prices.element,
      forecast.element,
      ...past.elements,
      accuracy.element,
      reasons.element,
    );
    this.element = make(
      "div",
      {},
      make("p", {}, make("a", { href: "#/watch" }, "← Watch list")),
      quote.element,
      this.#unknown,
      cards,
    );
    const timer = setInterval(() => this.#load(), LOAD_MS);
    this.#stops = [
      context.market.listen((changed) => this.#heard(changed)),
      () => clearInterval(timer),
      ...[prices, past, accuracy].map((part) => () => part.close()),
    ];
    this.#show();
  }

  close() {
    for (const stop of this.#stops) stop();
  }

  #heard(changed) {
    if (changed === null || changed === this.#ticker) paintSoon(this.#draw);
  }

  #show() {
    const prediction = this.#market.latest.get(this.#ticker);
    this.#unknown.textContent = prediction ? "" : "No prediction of this ticker yet.";
    if (prediction === undefined) return;
    for (const part of this.#live) part.show(prediction);
    if (this.#known === "") this.#load();
  }

  #load() {
    const prediction = this.#market.latest.get(this.#ticker);
    const now = `${prediction?.bar_index} ${prediction?.model_set}`;
    if (document.hidden || prediction === undefined || now === this.#known) return;
    this.#known = now;
    for (const part of this.#loading) part.load();
  }
}
