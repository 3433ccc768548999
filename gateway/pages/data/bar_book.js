// The bars of one ticker: those that closed, by their index, and the one that forms. Pure.

const MOST = 1000;

/** Puts recorded and live bars together. */
export class BarBook {
  #closed = new Map(); // bar_index -> bar
  forming = null;

  /** Take bars that closed; the same one may come twice. */
  take(bars) {
    for (const bar of bars) this.#closed.set(bar.bar_index, bar);
    for (const index of this.#indices().slice(0, -MOST)) this.#closed.delete(index);
    if (this.forming && this.last && this.forming.start <= this.last.start) this.forming = null;
  }

  /** Take the bar so far; null: none is open. */
  takeForming(bar) {
    this.forming = bar && (!this.last || bar.start > this.last.start) ? bar : null;
  }

  /** Give the last bar that closed. */
  get last() {
    return this.#closed.get(this.#indices().at(-1)) ?? null;
  }

  /** Tell whether bars are missing in between: the recorder may be a moment behind. */
  get hasGap() {
    const indices = this.#indices();
    return indices.length > 0 && indices.at(-1) - indices[0] !== indices.length - 1;
  }

  /** Give the bars that closed, oldest first. */
  closed() {
    return this.#indices().map((index) => this.#closed.get(index));
  }

  /** Give all, oldest first, the one that forms at the end. */
  all() {
    return this.forming ? [...this.closed(), this.forming] : this.closed();
  }

  #indices() {
    return [...this.#closed.keys()].sort((one, other) => one - other);
  }
}
