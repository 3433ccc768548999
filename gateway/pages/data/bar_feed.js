// One ticker's bars: recorded ones over REST, then live ones, resumed where a connection ended.

import { inPath } from "./api.js";
import { BarBook } from "./bar_book.js";
import { Line } from "./line.js";
import { passes } from "./problem.js";

const PACE = 5;
const BARS = 500;
const AGAIN_MS = 2000;
const AGAIN_LAST_MS = 32000;
const TRIES = 5;

/**
 * Keeps a book of bars; `changed(kind)` is told which are others, `closed` or `forming`, and `connection(condition)` how
 * the line is that they come over.
 */
export class BarFeed {
  book = new BarBook();
  #api;
  #ticker;
  #changed;
  #line;
  #place = null; // {epoch, seq} of the last closed bar that came
  #again = null;
  #closed = false;

  constructor({ api, session }, ticker, changed, connection) {
    this.#api = api;
    this.#ticker = ticker;
    this.#changed = changed;
    this.#line = new Line({
      path: "/ws/bars",
      session,
      subscription: () => this.#subscription(),
      heard: (message) => this.#heard(message),
      changed: connection,
    });
  }

  open() {
    this.#line.open();
    return this;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#again);
    this.#line.close();
  }

  #subscription() {
    const wish = { action: "subscribe", tickers: [this.#ticker], max_rate: PACE };
    if (this.#place?.seq == null) return wish;
    return { ...wish, since: { epoch: this.#place.epoch, seq: { [this.#ticker]: this.#place.seq } } };
  }

  #heard(message) {
    if (message.type === "subscribed") this.#subscribed(message);
    else if (message.type === "bar") this.#take([message]);
    else if (message.type === "bar_snapshot") this.#take(message.bars);
    else if (message.type === "forming_bar") {
      this.book.takeForming(message);
      this.#changed("forming");
    }
  }

  #subscribed({ epoch, recovered }) {
    if (this.#place && this.#place.epoch !== epoch) this.book = new BarBook(); // the log begins anew
    this.#place = { epoch, seq: recovered ? this.#place.seq : null };
    if (!recovered) this.#load(TRIES);
  }

  #take(bars) {
    if (bars.length === 0) return;
    this.#place.seq = bars.at(-1).seq ?? this.#place.seq;
    this.book.take(bars);
    this.#changed("closed");
  }

  async #load(tries, pauseMs = AGAIN_MS) {
    clearTimeout(this.#again);
    try {
      const { bars, forming } = await this.#api.get(`/bars/${inPath(this.#ticker)}?limit=${BARS}`);
      if (this.#closed) return;
      this.book.take(bars);
      if (!this.book.forming) this.book.takeForming(forming);
      this.#changed("closed");
    } catch (error) {
      // no history: what is live is shown
      if (passes(error)) return this.#later(pauseMs, () => this.#load(tries, Math.min(2 * pauseMs, AGAIN_LAST_MS)));
    }
    if (this.book.hasGap && tries > 1) this.#later(AGAIN_MS, () => this.#load(tries - 1));
  }

  #later(pauseMs, act) {
    clearTimeout(this.#again);
    if (!this.#closed) this.#again = setTimeout(act, pauseMs);
  }
}
