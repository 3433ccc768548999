// A few figures that say most, large, each with its name above and what to make of it below.

import { make, say } from "../base/elements.js";
import { NOTHING } from "../base/format.js";

/** Make tiles under a name, with their titles; `show(index, {title, value, note, tone})` writes one. */
export function tiles(name, titles) {
  const made = titles.map((title) => ({
    title: make("dt", {}, title),
    value: make("dd", { class: "value" }, NOTHING),
    note: make("dd", { class: "faint" }),
  }));
  const groups = made.map(({ title, value, note }) => make("div", {}, title, value, note));
  return {
    element: make("section", { "aria-label": name }, make("dl", { class: "tiles" }, groups)),
    show(index, { title, value, note, tone = "" }) {
      const tile = made[index];
      say(tile.title, title);
      say(tile.value, value);
      say(tile.note, note);
      tile.value.className = `value ${tone}`;
    },
  };
}
