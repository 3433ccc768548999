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
  const made = { key: null };
  const cell = (name, ...children) => make("td", { class: name }, ...children);
  made.star = make("button", { type: "button", onclick: () => star(made.key) });
  made.link = make("a", {});
  made.price = cell("price number");
  made.change = cell("change number");
  made.spark = makeSpark();
  made.forecast = cell("forecast number");
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
    made.forecast,
    made.direction,
    made.confidence,
    made.age,
    made.remarks,
  );
  return made;
}

/** Write a prediction into a row. */
export function fillRow(made, prediction, { fresh, starred, horizon, closes }) {
  const said = at(prediction, horizon);
  const shown = price(prediction.current_price);
  if (fresh) name(made, prediction.ticker);
  else if (made.price.textContent !== shown) flash(made.row);
  mark(made.star, starred, prediction.ticker);
  say(made.price, shown);
  colourChange(made.change, sinceOpen(prediction));
  say(made.forecast, `${price(said.price_target)} (${change(said.price_target / prediction.current_price - 1)})`);
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
