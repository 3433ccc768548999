// Past predictions beside what happened, and how far off they were over time.

import { make, say } from "../base/elements.js";
import { arrow, change, count, fineShare, price, share, time } from "../base/format.js";
import { ErrorsChart } from "../charts/errors.js";
import { PastChart } from "../charts/past.js";
import { inPath } from "../data/api.js";
import { passes } from "../data/problem.js";
import { ChartBox } from "../parts/chart_box.js";
import { panel } from "../parts/panel.js";
import { errorWords, rollingErrors, WINDOW } from "./errors.js";
import { HorizonChoice } from "./horizon.js";

const DAYS = [30, 90, 365];
const DAYS_AT_FIRST = 90; // about what the candles show
const MOST = 500; // in charts and tables
const MOST_IN_CSV = 10000; // in one answer of the gateway
const COLUMNS = [
  { head: "Said at (UTC)", text: (past) => time(past.as_of) },
  { head: "Price then", number: true, text: (past) => price(past.current_price) },
  { head: "Target", number: true, text: (past) => price(past.price_target) },
  { head: "Direction", text: (past) => `${arrow(past.direction)} ${past.direction}` },
  { head: "Confidence", number: true, text: (past) => share(past.confidence) },
  { head: "Happened", number: true, text: (past) => (past.outcome ? price(past.outcome.price) : "not yet") },
  { head: "Moved", number: true, text: (past) => (past.outcome ? change(Math.expm1(past.outcome.log_return)) : "–") },
  { head: "Result", text: resultOf },
  { head: "In the 95% band", text: (past) => yesOrNo(past.outcome?.inside_95) },
];
const ERRORS = [
  { head: "Matured (UTC)", text: (each) => time(each.time), value: (each) => each.time },
  { head: "Mean error", number: true, text: (each) => change(each.error), value: (each) => each.error },
  { head: "Of no change", number: true, text: (each) => change(each.noChange), value: (each) => each.noChange },
  { head: "Predictions", number: true, text: (each) => count(each.count), value: (each) => each.count },
];

function resultOf({ outcome }) {
  if (!outcome) return "–";
  const hit = outcome.hit === null ? "no direction" : outcome.hit ? "● right" : "■ wrong";
  return outcome.counted ? hit : `${hit} (not counted: ${outcome.not_counted_because})`;
}

const yesOrNo = (value) => (value === true ? "yes" : value === false ? "no" : "–");

function summaryOf({ hit_rate: rate, baseline_hit_rate: usual, directions, matured }) {
  if (rate === null) return `Nothing that counts has matured here yet (${matured} matured in all).`;
  const beside = usual === null ? "" : ` Always naming the usual direction: ${fineShare(usual)}.`;
  return `The direction was right in ${fineShare(rate)} of ${directions} cases.${beside}`;
}

function leftOutWords({ complete, history }) {
  if (complete) return "";
  return ` The newest ${history.length} are shown, older ones left out; CSV has up to ${count(MOST_IN_CSV)}.`;
}

/** The panels of a ticker's past: what was said and happened, and the errors over time. */
export class PastPanels {
  #api;
  #ticker;
  #past = [];
  #summary = make("p", {});
  #errors = make("p", {});
  #horizon = new HorizonChoice(() => this.load());
  #days = make("select", { "aria-label": "Days back", onchange: () => this.load() });
  #pastBox;
  #errorsBox;
  #read;

  /** `read(past)` gets what was read, too. */
  constructor({ api }, ticker, read) {
    this.#api = api;
    this.#read = read;
    this.#ticker = ticker;
    this.#days.append(...DAYS.map((days) => make("option", { value: days }, `${days} days`)));
    this.#days.value = DAYS_AT_FIRST;
    this.#pastBox = this.#pastChart();
    this.#errorsBox = this.#errorsChart();
    const tools = [this.#horizon.element, this.#days, ...this.#pastBox.tools];
    this.elements = [
      panel("Said, and what happened", { wide: true, tools }, this.#summary, ...this.#pastBox.parts),
      panel("Errors over time", { wide: true, tools: this.#errorsBox.tools }, this.#errors, ...this.#errorsBox.parts),
    ];
  }

  /** Offer a prediction's horizons. */
  show({ horizons }) {
    this.#horizon.offer(horizons);
  }

  /** Read what is recorded; tells, as every `load()` here, whether to leave it at that. */
  async load() {
    try {
      const document = await this.#api.get(this.#path(MOST));
      this.#past = document.history;
      say(this.#summary, summaryOf(document.accuracy) + leftOutWords(document));
      say(this.#errors, errorWords(rollingErrors(this.#past)));
    } catch (error) {
      for (const words of [this.#summary, this.#errors]) say(words, `No history now: ${error.message}`);
      return !passes(error);
    }
    for (const box of [this.#pastBox, this.#errorsBox]) box.renew();
    this.#read(this.#past);
    return true;
  }

  close() {
    for (const box of [this.#pastBox, this.#errorsBox]) box.close();
  }

  #pastChart() {
    return new ChartBox({
      name: `${this.#ticker}-history`,
      label: `Past predictions of ${this.#ticker} beside what happened`,
      style: "low",
      legend: ["┅ said", "━ happened", "● direction right", "■ direction wrong"],
      caption: `Predictions of ${this.#ticker} and what happened, newest first`,
      columns: () => COLUMNS,
      rows: () => this.#past,
      csv: () => this.#api.getText(this.#path(MOST_IN_CSV), "text/csv"),
      open: (library, box) => new PastChart(library, box),
      draw: (chart) => chart.setPredictions([...this.#past].reverse()),
    });
  }

  #errorsChart() {
    return new ChartBox({
      name: `${this.#ticker}-errors`,
      label: `Mean errors of the predictions of ${this.#ticker} over time, beside those of no change`,
      style: "low",
      legend: [`━ ours, mean of the last ${WINDOW}`, "┅ saying “no change”"],
      caption: `Mean errors of the last ${WINDOW} predictions of ${this.#ticker}, newest first`,
      columns: () => ERRORS,
      rows: () => rollingErrors(this.#past).reverse(),
      open: (library, box) => new ErrorsChart(library, box),
      draw: (chart) => chart.setErrors(rollingErrors(this.#past)),
    });
  }

  #path(most) {
    const horizon = this.#horizon.value === null ? "" : `&horizon=${this.#horizon.value}`;
    return `/history/${inPath(this.#ticker)}?days=${this.#days.value}&limit=${most}${horizon}`;
  }
}
