// The watch list: every ticker, live.

import { make, say } from "../base/elements.js";
import { bars } from "../base/format.js";
import { choose } from "../watch/choose.js";
import { Closes } from "../watch/closes.js";
import { makeHead } from "../watch/heads.js";
import { fillAge, fillRow, makeRow } from "../watch/row.js";
import { Rows } from "../watch/rows.js";
import { Wish } from "../watch/wish.js";

const SORT_MS = 1000; // rows that change places more often cannot be read

/** Show the watch list. */
export function watchView(context) {
  return new WatchList(context);
}

class WatchList {
  title = "Watch list";
  #latest;
  #wish = new Wish();
  #closes;
  #rows;
  #stale = false; // what is sorted by may have changed
  #stops;
  #head = makeHead((id) => this.#act(() => this.#wish.sortBy(id)));
  #body = make("tbody", {});
  #table = make("table", { "aria-label": "Latest prediction of each ticker" }, this.#head.element, this.#body);
  #scroller = make(
    "div",
    { class: "scroll watch", tabindex: 0, role: "region", "aria-label": "Watch list" },
    this.#table,
  );
  #summary = make("p", { class: "faint" });
  #search = make("input", {
    id: "search",
    type: "search",
    autocomplete: "off",
    oninput: () =>
      this.#act(() => {
        this.#wish.search = this.#search.value;
      }),
  });
  #horizon = make("select", {
    id: "horizon",
    onchange: () =>
      this.#act(() => {
        this.#wish.horizon = Number(this.#horizon.value);
      }),
  });
  #starred = make(
    "button",
    { type: "button", "aria-pressed": "false", onclick: () => this.#showStarred() },
    "★ Starred",
  );

  constructor({ api, market }) {
    this.#latest = market.latest;
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
      make("div", { class: "head" }, make("h1", {}, this.title), this.#summary),
      this.#tools(),
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
    this.#choose();
  }

  close() {
    for (const stop of this.#stops) stop();
  }

  #tools() {
    const labelled = (text, input, style = null) =>
      make("div", { class: style }, make("label", { for: input.id }, text), input);
    return make(
      "div",
      { class: "bar" },
      labelled("Search tickers", this.#search, "wide"),
      labelled("Forecast over", this.#horizon),
      this.#starred,
    );
  }

  #act(change) {
    change();
    this.#choose();
    this.#rows.renew();
  }

  #showStarred() {
    this.#act(() => {
      this.#wish.starredOnly = !this.#wish.starredOnly;
    });
    this.#starred.setAttribute("aria-pressed", this.#wish.starredOnly);
  }

  #star(ticker) {
    this.#wish.star(ticker);
    this.#rows.renew(ticker);
    if (this.#wish.starredOnly) this.#choose();
  }

  #fill(made, ticker, fresh) {
    const prediction = this.#latest.get(ticker);
    if (prediction === undefined) return;
    const { stars, horizon } = this.#wish;
    fillRow(made, prediction, { fresh, starred: stars.has(ticker), horizon, closes: this.#closes.line(prediction) });
  }

  #choose() {
    this.#stale = false;
    this.#offerHorizons();
    const tickers = choose([...this.#latest.values()], this.#wish);
    this.#rows.setKeys(tickers);
    this.#head.show(this.#wish);
    this.#table.setAttribute("aria-rowcount", tickers.length + 1);
    say(
      this.#summary,
      this.#latest.size === 0 ? "No predictions yet." : `${tickers.length} of ${this.#latest.size} tickers`,
    );
  }

  #offerHorizons() {
    const [first] = this.#latest.values();
    const offered = first?.horizons.map((each) => each.horizon) ?? [];
    if (offered.length === 0 || offered.join() === [...this.#horizon.options].map((option) => option.value).join())
      return;
    this.#horizon.replaceChildren(...offered.map((each) => make("option", { value: each }, bars(each))));
    if (!offered.includes(this.#wish.horizon)) this.#wish.horizon = offered[0];
    this.#horizon.value = this.#wish.horizon;
  }

  #heard(ticker) {
    if (ticker === null) return this.#act(() => {});
    this.#stale = true;
    this.#closes.note(this.#latest.get(ticker));
    return this.#rows.renew(ticker);
  }

  #eachSecond() {
    if (document.hidden) return;
    if (this.#stale) this.#choose();
    const inSight = this.#rows.inSight().filter((made) => this.#latest.has(made.key));
    this.#closes.want(inSight.map((made) => made.key));
    for (const made of inSight) fillAge(made, this.#latest.get(made.key));
  }
}
