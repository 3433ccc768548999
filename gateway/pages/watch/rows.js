// A table of any length of which only the rows in sight exist. All rows are equally high.

import { make } from "../base/elements.js";
import { paintSoon } from "../base/painting.js";

const BEYOND = 6; // rows that are ready above and below, so that the keyboard finds the next one

/**
 * Keeps the rows in sight. `makeRow()` gives a `{row, …}`; `fillRow(made, key, fresh)` writes what belongs to a key into
 * one, `fresh` where it had another key before.
 */
export class Rows {
  #scroller;
  #body;
  #makeRow;
  #fillRow;
  #keys = [];
  #shown = new Map(); // index -> what makeRow gave, with its `key`
  #spare = [];
  #dirty = new Set();
  #heightPx = 44;
  #above = spacer();
  #below = spacer();
  #draw = () => this.#paint();

  constructor(scroller, body, makeRow, fillRow) {
    this.#scroller = scroller;
    this.#body = body;
    this.#makeRow = makeRow;
    this.#fillRow = fillRow;
    body.append(this.#above, this.#below);
    scroller.addEventListener("scroll", () => paintSoon(this.#draw), { passive: true });
  }

  /** Show these, in this order. */
  setKeys(keys) {
    this.#keys = keys;
    paintSoon(this.#draw);
  }

  /** Write a row anew with the next frame; without a key, every one. */
  renew(key = null) {
    if (key === null) for (const made of this.#shown.values()) this.#dirty.add(made.key);
    else this.#dirty.add(key);
    paintSoon(this.#draw);
  }

  /** Give the rows that exist. */
  inSight() {
    return [...this.#shown.values()];
  }

  #paint() {
    this.#measure();
    const [first, end] = this.#range();
    for (const [index, made] of this.#shown) if (index < first || index >= end) this.#putAway(index, made);
    for (let index = first; index < end; index += 1) this.#show(index);
    this.#dirty.clear();
    this.#above.firstChild.style.height = `${first * this.#heightPx}px`;
    this.#below.firstChild.style.height = `${(this.#keys.length - end) * this.#heightPx}px`;
  }

  #measure() {
    const [made] = this.#shown.values();
    const height = made?.row.getBoundingClientRect().height;
    if (height > 0) this.#heightPx = height;
  }

  #range() {
    const top = Math.floor(this.#scroller.scrollTop / this.#heightPx);
    const many = Math.ceil(innerHeight / this.#heightPx); // the scroller is as high as its rows, but never higher
    const last = this.#keys.length;
    const first = Math.max(0, Math.min(top - BEYOND, last - many - BEYOND));
    return [first, Math.min(last, top + many + BEYOND)];
  }

  #putAway(index, made) {
    if (made.row.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true }); // else it is lost
    made.row.remove();
    this.#shown.delete(index);
    this.#spare.push(made);
  }

  #show(index) {
    const key = this.#keys[index];
    let made = this.#shown.get(index);
    if (made === undefined) {
      made = this.#spare.pop() ?? this.#makeRow();
      this.#shown.set(index, made);
      this.#body.insertBefore(made.row, this.#nextRow(index));
      made.row.setAttribute("aria-rowindex", index + 2); // the head is the first
    }
    const fresh = made.key !== key;
    if (!fresh && !this.#dirty.has(key)) return;
    made.key = key;
    this.#fillRow(made, key, fresh);
  }

  #nextRow(index) {
    const later = [...this.#shown.keys()].filter((other) => other > index);
    return later.length === 0 ? this.#below : this.#shown.get(Math.min(...later)).row;
  }
}

function spacer() {
  return make("tr", { "aria-hidden": "true", class: "spacer" }, make("td", {}));
}
