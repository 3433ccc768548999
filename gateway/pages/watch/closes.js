// The last closes of tickers in sight, fetched when they come into sight and then carried on by what is live.

import { inPath } from "../data/api.js";
import { passes } from "../data/problem.js";

const KEPT = 40;
const AT_ONCE = 4;
const UNKNOWN = -1; // index of the last bar of who has none, or not yet
const REST_MS = 5000;

/** Knows the last closes; `arrived(ticker)` is called when a ticker's have come. */
export class Closes {
  #api;
  #arrived;
  #closed = new Map(); // ticker -> closes, oldest first; the last bar's index beside them
  #wanted = [];
  #busy = 0;
  #restUntil = 0; // the gateway is away, or had asked for a pause

  constructor(api, arrived) {
    this.#api = api;
    this.#arrived = arrived;
  }

  /** Fetch what is not known yet of these tickers. */
  want(tickers) {
    this.#wanted = tickers.filter((ticker) => !this.#closed.has(ticker));
    if (Date.now() < this.#restUntil) return;
    while (this.#busy < AT_ONCE && this.#wanted.length > 0) this.#fetch(this.#wanted.shift());
  }

  /** Take a prediction of a closed bar. */
  note({ ticker, provisional, bar_index: index, current_price: price }) {
    const known = this.#closed.get(ticker);
    if (provisional || known === undefined || index <= known.index) return;
    known.index = index;
    known.closes.push(price);
    if (known.closes.length > KEPT) known.closes.shift();
  }

  /** Forget the closes of who has had bars since that were not heard of: they are fetched again. */
  forgetBroken(latest) {
    for (const [ticker, { index }] of this.#closed) {
      if (index !== UNKNOWN && latest.get(ticker)?.bar_index > index) this.#closed.delete(ticker);
    }
  }

  /** Give the closes of a ticker with its live price at the end. */
  line({ ticker, provisional, current_price: price }) {
    const closes = this.#closed.get(ticker)?.closes ?? [];
    return provisional ? [...closes, price] : closes;
  }

  #later(ticker) {
    this.#closed.delete(ticker);
    this.#restUntil = Date.now() + REST_MS;
  }

  async #fetch(ticker) {
    this.#busy += 1;
    this.#closed.set(ticker, { index: UNKNOWN, closes: [] });
    try {
      const { bars } = await this.#api.get(`/bars/${inPath(ticker)}?limit=${KEPT}`);
      this.#closed.set(ticker, { index: bars.at(-1)?.bar_index ?? UNKNOWN, closes: bars.map((bar) => bar.close) });
      this.#arrived(ticker);
    } catch (error) {
      if (passes(error)) this.#later(ticker); // else there is no history: the line begins now
    } finally {
      this.#busy -= 1;
      this.want(this.#wanted);
    }
  }
}
