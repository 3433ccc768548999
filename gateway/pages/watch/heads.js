// The head of the watch list: what is sorted by is a button.

import { make } from "../base/elements.js";
import { KEYS } from "./choose.js";

const COLUMNS = [
  { id: "star", text: "Star", short: "" },
  { id: "ticker", text: "Ticker" },
  { id: "price", text: "Price", number: true },
  { id: "change", text: "Change", number: true, title: "since the bar opened" },
  { id: "spark", text: "Last closes" },
  { id: "direction", text: "Direction", short: "" },
  { id: "forecast", text: "Target", number: true, title: "and how far it is from the price" },
  { id: "confidence", text: "Confidence", short: "Conf.", number: true, title: "that the direction is right" },
  { id: "age", text: "Age", number: true, title: "since the newest tick behind the prediction came in" },
  { id: "remarks", text: "Remarks" },
];

/** Make the head; `sortBy(id)` is called when one is pressed, `show(wish)` says what is sorted by. */
export function makeHead(sortBy) {
  const heads = new Map(COLUMNS.map((column) => [column.id, headOf(column, sortBy)]));
  const row = make("tr", { "aria-rowindex": 1 }, [...heads.values()]);
  return {
    element: make("thead", {}, row),
    show({ sort, descending }) {
      for (const [id, head] of heads) {
        if (id === sort) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        else head.removeAttribute("aria-sort");
      }
    },
  };
}

function headOf({ id, text, short, number, title }, sortBy) {
  const words = short === undefined ? [text] : [make("span", { class: "long" }, text), briefly(short)];
  const inside =
    id in KEYS
      ? make("button", { type: "button", title, onclick: () => sortBy(id) }, words)
      : make("span", { class: "label", title }, words);
  return make("th", { scope: "col", class: number ? `${id} number` : id }, inside);
}

/** What is seen instead where there is little room; the whole word is still heard. */
const briefly = (short) => make("span", { class: "short", "aria-hidden": "true" }, short);
