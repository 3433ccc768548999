// What a person does to the watch list: search, the horizon, only what is starred.

import { make } from "../base/elements.js";
import { bars } from "../base/format.js";

/** Make the tools of a wish; `changed()` is called when it has. */
export function makeTools(wish, changed) {
  const search = make("input", {
    id: "search",
    type: "search",
    autocomplete: "off",
    oninput() {
      wish.search = search.value;
      changed();
    },
  });
  const horizon = make("select", {
    id: "horizon",
    onchange() {
      wish.horizon = Number(horizon.value);
      changed();
    },
  });
  const starred = make("button", { type: "button", "aria-pressed": "false", onclick: showStarred }, "★ Starred");

  function showStarred() {
    wish.starredOnly = !wish.starredOnly;
    starred.setAttribute("aria-pressed", wish.starredOnly);
    changed();
  }

  /** Offer the horizons that predictions have. */
  function offer(prediction) {
    const offered = prediction?.horizons.map((each) => each.horizon) ?? [];
    if (offered.length === 0 || offered.join() === [...horizon.options].map((option) => option.value).join()) return;
    horizon.replaceChildren(...offered.map((each) => make("option", { value: each }, bars(each))));
    if (!offered.includes(wish.horizon)) wish.horizon = offered[0];
    horizon.value = wish.horizon;
  }

  return {
    element: make(
      "div",
      { class: "bar" },
      labelled("Search tickers", search, "wide"),
      labelled("Forecast over", horizon),
      starred,
    ),
    offer,
  };
}

const labelled = (text, input, style = null) =>
  make("div", { class: style }, make("label", { for: input.id }, text), input);
