// The head of a ticker's view: what it is worth, and what Tickcast thinks.

import { make, say } from "../base/elements.js";
import { secondsSince } from "../base/clock.js";
import { age, arrow, change, price, time } from "../base/format.js";
import { remarks, sinceOpen } from "../data/market.js";
import { forecastWords } from "./words.js";

/** Make the head; `show(prediction)` writes it. */
export function quotePanel(ticker) {
  const worth = make("span", { class: "big" });
  const moved = make("span", {});
  const when = make("span", { class: "faint" });
  const forecast = make("p", { class: "lead" });
  const notes = make("p", { class: "warn" });
  return {
    element: make(
      "div",
      {},
      make("div", { class: "head" }, make("h1", {}, ticker), worth, moved, when),
      forecast,
      notes,
    ),
    show(prediction) {
      const said = prediction.prediction;
      const since = sinceOpen(prediction);
      say(worth, price(prediction.current_price));
      say(moved, `${change(since)} since the bar opened`);
      moved.className = since > 0 ? "up" : since < 0 ? "down" : "faint";
      say(when, `as of ${time(prediction.timestamp)} UTC, ${age(secondsSince(prediction.ingested_at))} ago`);
      say(
        forecast,
        `${arrow(said.direction)} ${forecastWords(said, change(said.price_target / prediction.current_price - 1))}`,
      );
      forecast.className = `lead ${said.direction}`;
      say(notes, remarks(prediction));
    },
  };
}
