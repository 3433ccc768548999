// What is wrong, at the top of every view.

import { make } from "../base/elements.js";

/** Keep the banner; it changes, and is read aloud, only when something else is wrong. */
export function startBanner(banner, condition) {
  let shown = "";
  condition.listen(({ troubles }) => {
    const said = troubles.join("\n");
    if (said === shown) return;
    shown = said;
    const items = troubles.map((trouble) => make("li", {}, trouble));
    banner.replaceChildren(...(items.length ? [make("strong", {}, "Degraded"), make("ul", {}, items)] : []));
  });
}
