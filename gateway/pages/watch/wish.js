// What the person wants to see in the watch list; stars and order are remembered.

import { keep, recall } from "../base/storage.js";
import { KEYS } from "./choose.js";

/** The wish, as `choose` takes it. */
export class Wish {
  search = "";
  starredOnly = false;
  horizon = null;
  stars = new Set(recall("stars", []));
  sort = "ticker";
  descending = false;

  constructor() {
    const { sort, descending } = recall("sort", {});
    if (sort in KEYS) Object.assign(this, { sort, descending: Boolean(descending) });
  }

  /** Sort by something else, or the other way round; numbers begin with the largest. */
  sortBy(id) {
    this.descending = this.sort === id ? !this.descending : id !== "ticker";
    this.sort = id;
    keep("sort", { sort: this.sort, descending: this.descending });
  }

  /** Star a ticker, or no more. */
  star(ticker) {
    if (!this.stars.delete(ticker)) this.stars.add(ticker);
    keep("stars", [...this.stars]);
  }
}
