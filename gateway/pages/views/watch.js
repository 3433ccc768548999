// The watch list: every ticker, live.

import { make, say } from "../base/elements.js";
import { waitingWords } from "../parts/waiting.js";
import { choose } from "../watch/choose.js";
import { Closes } from "../watch/closes.js";
import { makeHead } from "../watch/heads.js";
import { overview } from "../watch/overview.js";
import { fillAge, fillRow, makeRow } from "../watch/row.js";
import { Rows } from "../watch/rows.js";
import { makeTools } from "../watch/tools.js";
import { Wish } from "../watch/wish.js";
import { countWords, emptyWords } from "../watch/words.js";

const SORT_MS = 1000; // rows that change places more often cannot be read
const POINTED_MS = 3000; // nor do they move away under a hand

/** Show the watch list. */
export function watchView(context) {
  return new WatchList(context);
}

class WatchList {
  title = "Watch list";
  #market;
  #session;
  #wish = new Wish();
  #closes;
  #rows;
  #overview;
  #stale = false; // what is sorted by may have changed
  #pointedMs = 0;
  #stops;
  #tools = makeTools(this.#wish, () => this.#chosen());
  #head = makeHead((id) => {
    this.#wish.sortBy(id);
    this.#chosen();
  });
  #body = make("tbody", {});
  #table = make("table", { "aria-label": "Latest prediction of each ticker" }, this.#head.element, this.#body);
  #empty = make("p", { class: "empty" });
  #scroller = make(
    "div",
    {
      class: "scroll watch",
      tabindex: 0,
      role: "region",
      "aria-label": "Watch list",
      onpointermove: () => {
        this.#pointedMs = Date.now();
      },
    },
    this.#table,
    this.#empty,
  );
  #count = make("p", { class: "faint" });

  constructor({ api, market, session }) {
    this.#market = market;
    this.#session = session;
    this.#overview = overview(api);
    this.#rows = new Rows(
      this.#scroller,
      this.#body,
      () => makeRow((ticker) => this.#star(ticker)),
      (made, ticker, fresh) => this.#fill(made, ticker, fresh),
    );
    this.#closes = new Closes(api, (ticker) => this.#rows.renew(ticker));
    this.element = make(
      "div",
      {},
      make("div", { class: "head" }, make("h1", {}, this.title), this.#count),
      this.#overview.element,
      this.#tools.element,
      this.#scroller,
    );
    const timer = setInterval(() => this.#eachSecond(), SORT_MS);
    const resized = () => this.#rows.renew();
    addEventListener("resize", resized);
    this.#stops = [
      market.listen((ticker) => this.#heard(ticker)),
      () => clearInterval(timer),
      () => removeEventListener("resize", resized),
    ];
    this.#chosen();
  }

  close() {
    for (const stop of this.#stops) stop();
  }

  /** Something else is wished for, or there. */
  #chosen() {
    this.#choose();
    this.#sumUp();
    this.#rows.renew();
  }

  #star(ticker) {
    this.#wish.star(ticker);
    this.#rows.renew(ticker);
    if (this.#wish.starredOnly) this.#choose();
  }

  #fill(made, ticker, fresh) {
    const prediction = this.#market.latest.get(ticker);
    if (prediction === undefined) return;
    const { stars, horizon } = this.#wish;
    fillRow(made, prediction, { fresh, starred: stars.has(ticker), horizon, closes: this.#closes.line(prediction) });
  }

  #choose() {
    this.#stale = false;
    const { latest } = this.#market;
    const predictions = [...latest.values()];
    this.#tools.offer(predictions[0]);
    const tickers = choose(predictions, this.#wish);
    this.#rows.setKeys(tickers);
    this.#head.show(this.#wish);
    this.#table.setAttribute("aria-rowcount", tickers.length + 1);
    say(this.#count, countWords(tickers.length, latest.size));
    const empty = waitingWords(this.#market, this.#session) ?? emptyWords(latest.size, this.#wish);
    say(this.#empty, tickers.length > 0 ? "" : empty);
  }

  #sumUp() {
    this.#overview.show([...this.#market.latest.values()], this.#wish.horizon);
  }

  #heard(ticker) {
    if (ticker === null) {
      this.#closes.forgetBroken(this.#market.latest);
      return this.#chosen();
    }
    this.#stale = true;
    this.#closes.note(this.#market.latest.get(ticker));
    return this.#rows.renew(ticker);
  }

  #eachSecond() {
    if (document.hidden) return;
    if (this.#stale && !this.#inUse()) this.#choose();
    this.#sumUp();
    const { latest } = this.#market;
    const inSight = this.#rows.inSight().filter((made) => latest.has(made.key));
    this.#closes.want(inSight.map((made) => made.key));
    for (const made of inSight) fillAge(made, latest.get(made.key));
  }

  /** Tell whether somebody is about to press something in a row, which must stay where it is. */
  #inUse() {
    return Date.now() - this.#pointedMs < POINTED_MS || this.#body.querySelector(":focus-visible") !== null;
  }
}
