// One row of the watch list.

import { make, say } from "../base/elements.js";
import { age, arrow, change, price, share } from "../base/format.js";
import { flash } from "../base/painting.js";
import { secondsSince } from "../base/clock.js";
import { tickerPlace } from "../base/router.js";
import { at, remarks, sinceOpen } from "../data/market.js";
import { drawSpark, makeSpark } from "./spark.js";

/** Make an empty row; `star(ticker)` is called when its star is pressed. */
export function makeRow(star) {
  const made = { key: null, worth: null };
  const cell = (name, ...children) => make("td", { class: name }, ...children);
  made.star = make("button", { type: "button", onclick: () => star(made.key) });
  made.link = make("a", {});
  made.price = cell("price number");
  made.change = cell("change number");
  made.spark = makeSpark();
  made.target = make("span", { class: "target" });
  made.percent = make("span", {});
  made.arrow = make("span", { "aria-hidden": "true" });
  made.word = make("span", { class: "word" });
  made.direction = cell("direction", made.arrow, " ", made.word);
  made.share = make("span", {});
  made.meter = make("meter", { min: 0, max: 1, "aria-hidden": "true" });
  made.confidence = cell("confidence number", made.share, made.meter);
  made.age = cell("age number");
  made.remarks = cell("remarks warn");
  made.row = make(
    "tr",
    {},
    cell("star", made.star),
    make("th", { scope: "row", class: "ticker" }, made.link),
    made.price,
    made.change,
    cell("spark", made.spark.svg),
    made.direction,
    cell("forecast number", made.target, " ", made.percent),
    made.confidence,
    made.age,
    made.remarks,
  );
  return made;
}

/** Write a prediction into a row. */
export function fillRow(made, prediction, { fresh, starred, horizon, closes }) {
  const said = at(prediction, horizon);
  if (fresh) name(made, prediction.ticker);
  sayPrice(made, prediction.current_price, fresh);
  mark(made.star, starred, prediction.ticker);
  colourChange(made.change, sinceOpen(prediction));
  say(made.target, price(said.price_target));
  say(made.percent, change(said.price_target / prediction.current_price - 1));
  say(made.arrow, arrow(said.direction));
  say(made.word, said.direction);
  made.direction.className = `direction ${said.direction}`;
  say(made.share, share(said.confidence));
  made.meter.value = said.confidence;
  fillAge(made, prediction);
  fillRemarks(made.remarks, remarks(prediction));
  drawSpark(made.spark, closes);
}

/** Write how old the newest tick behind a prediction is. */
export function fillAge(made, prediction) {
  say(made.age, age(secondsSince(prediction.ingested_at)));
}

function name(made, ticker) {
  say(made.link, ticker);
  made.link.setAttribute("href", tickerPlace(ticker));
}

function sayPrice(made, worth, fresh) {
  const shown = price(worth);
  if (!fresh && made.price.textContent !== shown) flash(made.price, worth < made.worth ? "falls" : "rises");
  say(made.price, shown);
  made.worth = worth;
}

function mark(button, starred, ticker) {
  say(button, starred ? "★" : "☆");
  button.setAttribute("aria-pressed", starred);
  button.setAttribute("aria-label", `Star ${ticker}`);
}

function colourChange(cell, value) {
  say(cell, change(value));
  cell.className = `change number ${value > 0 ? "up" : value < 0 ? "down" : "faint"}`;
}

function fillRemarks(cell, text) {
  say(cell, text);
  cell.title = text;
}
