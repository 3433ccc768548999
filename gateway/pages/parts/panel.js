// A part of a view, with its heading.

import { make } from "../base/elements.js";

/** Make a panel; `tools` stand beside its heading. */
export function panel(title, { wide = false, tools = [] } = {}, ...children) {
  const head = make("div", { class: "head" }, make("h2", {}, title), make("div", { class: "bar" }, tools));
  return make("section", { class: wide ? "card full" : "card", "aria-label": title }, head, ...children);
}

/** Make a list of names with their values. */
export function facts(entries) {
  return make(
    "dl",
    { class: "facts" },
    entries.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))),
  );
}

/** Make paragraphs. */
export const paragraphs = (sentences) => sentences.map((sentence) => make("p", {}, sentence));
