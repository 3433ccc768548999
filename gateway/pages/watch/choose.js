// Which tickers the watch list shows, and in which order. Pure.

import { at, sinceOpen } from "../data/market.js";

/** What rows can be sorted by: each gives a number or a text of a prediction. */
export const KEYS = {
  ticker: (prediction) => prediction.ticker,
  price: (prediction) => prediction.current_price,
  change: (prediction) => sinceOpen(prediction),
  forecast: (prediction, horizon) => at(prediction, horizon).log_return,
  direction: (prediction, horizon) => at(prediction, horizon).direction,
  confidence: (prediction, horizon) => at(prediction, horizon).confidence,
};

/** Give tickers by the wish `{search, starredOnly, stars, sort, descending, horizon}`; ties are by name. */
export function choose(predictions, { search, starredOnly, stars, sort, descending, horizon }) {
  const wanted = search.trim().toUpperCase();
  const shown = predictions.filter(({ ticker }) => ticker.includes(wanted) && (!starredOnly || stars.has(ticker)));
  const keys = new Map(shown.map((prediction) => [prediction.ticker, KEYS[sort](prediction, horizon)]));
  const turn = descending ? -1 : 1;
  const tickers = shown.map(({ ticker }) => ticker);
  return tickers.sort((one, other) => turn * compare(keys.get(one), keys.get(other)) || compare(one, other));
}

function compare(one, other) {
  if (one === other) return 0;
  if (one === null) return -1;
  return one < other ? -1 : 1;
}
