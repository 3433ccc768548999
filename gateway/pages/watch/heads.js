// The head of the watch list: what is sorted by is a button.

import { make } from "../base/elements.js";
import { KEYS } from "./choose.js";

const COLUMNS = [
  { id: "star", text: "Star" },
  { id: "ticker", text: "Ticker" },
  { id: "price", text: "Price", number: true },
  { id: "change", text: "Change", number: true, title: "since the bar opened" },
  { id: "spark", text: "Last closes" },
  { id: "forecast", text: "Target", number: true },
  { id: "direction", text: "Direction" },
  { id: "confidence", text: "Confidence", number: true },
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

function headOf({ id, text, number, title }, sortBy) {
  const inside =
    id in KEYS
      ? make("button", { type: "button", title, onclick: () => sortBy(id) }, text)
      : make("span", { class: "label", title }, text);
  return make("th", { scope: "col", class: number ? `${id} number` : id }, inside);
}
