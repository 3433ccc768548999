// An address that names no view.

import { make } from "../base/elements.js";

/** Say so, and where to go. */
export function unknownView() {
  return {
    title: "Nothing here",
    element: make(
      "div",
      {},
      make("h1", {}, "Nothing here"),
      make("p", {}, "This address names no view: the page may have been changed since it was written down."),
      make("p", {}, make("a", { href: "#/watch" }, "To the watch list")),
    ),
    close() {},
  };
}
