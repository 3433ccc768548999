// A few figures that say most, large, each with its name above and what to make of it below.

import { make, say } from "../base/elements.js";

/** Make tiles under a name; `show(index, {title, value, note, tone})` writes one. */
export function tiles(name, count) {
  const made = Array.from({ length: count }, () => ({
    title: make("dt", {}, "…"),
    value: make("dd", { class: "value" }, "–"),
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
