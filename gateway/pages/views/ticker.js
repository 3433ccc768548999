// One ticker: its price and forecast, its past, its reasons.

import { make, say } from "../base/elements.js";
import { paintSoon } from "../base/painting.js";
import { waitingWords } from "../parts/waiting.js";
import { AccuracyPanel } from "../ticker/accuracy.js";
import { forecastPanel } from "../ticker/forecast.js";
import { PastPanels } from "../ticker/past.js";
import { PricePanel } from "../ticker/price.js";
import { quotePanel } from "../ticker/quote.js";
import { reasonsPanel } from "../ticker/reasons.js";

const LOAD_MS = 5000; // what is read over REST is not read more often
const PAUSE_LAST_MS = 40000; // between tries that fail

/** Show a ticker. */
export function tickerView(context, argument) {
  return new TickerView(context, argument.toUpperCase());
}

class TickerView {
  #context;
  #market;
  #ticker;
  #quote;
  #panels = null; // before there is a prediction, there is nothing to ask for
  #unknown = make("p", { class: "faint" });
  #cards = make("div", { class: "cards" });
  #shown = ""; // of which bar and models everything was read, or is being
  #pauseMs = LOAD_MS;
  #restUntilMs = 0;
  #draw = () => this.#show();
  #stops;

  constructor(context, ticker) {
    this.#context = context;
    this.#market = context.market;
    this.#ticker = this.title = ticker;
    this.#quote = quotePanel(ticker);
    this.element = make(
      "div",
      {},
      make("p", {}, make("a", { href: "#/watch" }, "← Watch list")),
      this.#quote.element,
      this.#unknown,
      this.#cards,
    );
    const timer = setInterval(() => this.#load(), LOAD_MS);
    this.#stops = [context.market.listen((changed) => this.#heard(changed)), () => clearInterval(timer)];
    this.#show();
  }

  close() {
    for (const stop of this.#stops) stop();
    for (const part of this.#panels?.closing ?? []) part.close();
  }

  #heard(changed) {
    if (changed === null || changed === this.#ticker) paintSoon(this.#draw);
  }

  #show() {
    const { latest } = this.#market;
    const prediction = latest.get(this.#ticker);
    const nothing = waitingWords(this.#market, this.#context.session) ?? unknownWords(this.#ticker, latest.size);
    say(this.#unknown, prediction ? "" : nothing);
    if (prediction === undefined) return;
    this.#panels ??= this.#open();
    for (const part of [this.#quote, ...this.#panels.live]) part.show(prediction);
    if (this.#shown === "") this.#load();
  }

  #open() {
    const forecast = forecastPanel();
    const reasons = reasonsPanel(this.#context, this.#ticker);
    const prices = new PricePanel(this.#context, this.#ticker);
    const past = new PastPanels(this.#context, this.#ticker, (read) => prices.mark(read));
    const accuracy = new AccuracyPanel(this.#context, this.#ticker);
    this.#cards.append(prices.element, forecast.element, ...past.elements, accuracy.element, reasons.element);
    return {
      live: [forecast, prices, past, accuracy],
      loading: [prices, past, accuracy, reasons],
      closing: [prices, past, accuracy],
    };
  }

  async #load() {
    const prediction = this.#market.latest.get(this.#ticker);
    const now = `${prediction?.bar_index} ${prediction?.model_set}`;
    if (document.hidden || prediction === undefined || now === this.#shown) return;
    if (Date.now() < this.#restUntilMs) return;
    this.#shown = now;
    const loaded = await Promise.all(this.#panels.loading.map((part) => part.load()));
    if (loaded.every(Boolean)) this.#pauseMs = LOAD_MS;
    else this.#tryLater();
  }

  #tryLater() {
    this.#shown = "";
    this.#restUntilMs = Date.now() + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, PAUSE_LAST_MS);
  }
}

function unknownWords(ticker, all) {
  return `Nothing is predicted of ${ticker}. It may be too new, or none of the ${all} tickers here.`;
}
