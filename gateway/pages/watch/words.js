// What the watch list says of itself. Pure.

import { count } from "../base/format.js";

/** Say how many tickers are shown. */
export function countWords(shown, all) {
  const tickers = `${count(all)} ticker${all === 1 ? "" : "s"}`;
  return shown === all ? tickers : `${count(shown)} of ${tickers}`;
}

/** Say why no ticker is shown: `known` tells whether the gateway has said all it has. */
export function emptyWords(all, known, { search, starredOnly, stars }) {
  if (all === 0) return known ? "No predictions yet: they begin some bars after the first." : "Waiting for the gateway…";
  if (starredOnly && stars.size === 0) return "Nothing is starred yet: press ☆ beside a ticker, then it stands here.";
  const which = starredOnly ? "starred ticker" : "ticker";
  return search.trim() === "" ? `No ${which} is here now.` : `No ${which} has “${search.trim()}” in its name.`;
}
