// Past predictions beside what happened.

import { make, say } from "../base/elements.js";
import { arrow, bars, change, fineShare, price, share, time } from "../base/format.js";
import { inPath } from "../data/api.js";
import { chartLibrary } from "../charts/library.js";
import { PastChart } from "../charts/past.js";
import { saveButtons } from "../parts/download.js";
import { panel } from "../parts/panel.js";
import { tableBehind } from "../parts/table.js";

const DAYS = [30, 90, 365];
const MOST = 500;
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

function resultOf({ outcome }) {
  if (!outcome) return "–";
  const hit = outcome.hit === null ? "no direction" : outcome.hit ? "● right" : "■ wrong";
  return outcome.counted ? hit : `${hit} (not counted: ${outcome.not_counted_because})`;
}

const yesOrNo = (value) => (value === true ? "yes" : value === false ? "no" : "–");

function summaryOf({ hit_rate: rate, baseline_hit_rate: usual, directions, matured }) {
  if (rate === null) return `Nothing that counts has matured here yet (${matured} matured in all).`;
  const beside =
    usual === null ? "" : ` Always naming the usual direction would have been right in ${fineShare(usual)}.`;
  return `The direction was right in ${fineShare(rate)} of ${directions} cases.${beside}`;
}

/** The panel of a ticker's past. */
export class PastPanel {
  #api;
  #ticker;
  #wish = { horizon: null, days: DAYS[0] };
  #past = [];
  #chart = null;
  #closed = false;
  #horizon = make("select", {
    "aria-label": "Horizon",
    onchange: () => this.#choose({ horizon: Number(this.#horizon.value) }),
  });
  #days = make("select", {
    "aria-label": "Days back",
    onchange: () => this.#choose({ days: Number(this.#days.value) }),
  });
  #summary = make("p", {});
  #box = make("div", { class: "chart low", role: "img" });
  #table;

  constructor({ api }, ticker) {
    this.#api = api;
    this.#ticker = ticker;
    this.#days.append(...DAYS.map((days) => make("option", { value: days }, `${days} days`)));
    this.#box.setAttribute(
      "aria-label",
      `Past predictions of ${ticker} beside what happened; the table below has the same data`,
    );
    this.#table = tableBehind(`Predictions of ${ticker} and what happened, newest first`, COLUMNS, () => this.#past);
    const csv = () => api.getText(this.#path(), "text/csv");
    const { asCsv, asPng } = saveButtons(`${ticker}-history`, csv, () => this.#chart.picture());
    const legend = make(
      "p",
      { class: "legend" },
      ...["┅ said", "━ happened", "● direction right", "■ direction wrong"].map((text) => make("span", {}, text)),
    );
    const tools = [this.#horizon, this.#days, asCsv, asPng];
    this.element = panel(
      "Said, and what happened",
      { wide: true, tools },
      this.#summary,
      this.#box,
      legend,
      this.#table.details,
    );
    this.#draw(asPng);
  }

  /** Offer a prediction's horizons. */
  show({ horizons }) {
    if (this.#horizon.options.length === horizons.length) return;
    this.#horizon.replaceChildren(...horizons.map(({ horizon }) => make("option", { value: horizon }, bars(horizon))));
    this.#wish.horizon ??= horizons[0].horizon;
    this.#horizon.value = this.#wish.horizon;
  }

  /** Read what is recorded. */
  async load() {
    try {
      const document = await this.#api.get(this.#path());
      this.#past = document.history;
      say(this.#summary, summaryOf(document.accuracy));
    } catch (error) {
      say(this.#summary, `No history now: ${error.message}`);
      return;
    }
    if (this.#closed) return;
    this.#chart?.setPredictions([...this.#past].reverse());
    this.#table.renew();
  }

  close() {
    this.#closed = true;
    this.#chart?.close();
    this.#chart = null;
  }

  #path() {
    const horizon = this.#wish.horizon === null ? "" : `&horizon=${this.#wish.horizon}`;
    return `/history/${inPath(this.#ticker)}?days=${this.#wish.days}&limit=${MOST}${horizon}`;
  }

  #choose(wish) {
    Object.assign(this.#wish, wish);
    this.load();
  }

  async #draw(asPng) {
    const library = await chartLibrary();
    if (this.#closed) return;
    this.#box.hidden = library === null;
    if (library === null) {
      this.#table.details.open = true;
      return;
    }
    this.#chart = new PastChart(library, this.#box);
    asPng.hidden = false;
    this.#chart.setPredictions([...this.#past].reverse());
  }
}
