// The tiles above the watch list.

import { tiles } from "../parts/tiles.js";
import { summaryTiles } from "./summary.js";

const LOOK_MS = 30000;

/** Make them; `show(predictions, horizon)` writes them, and asks now and then how right the predictions have been. */
export function overview(api) {
  const { element, show } = tiles("In short", 4);
  let scores = [];
  let askedMs = 0;

  async function ask() {
    askedMs = Date.now();
    try {
      scores = (await api.get("/accuracy")).horizons;
    } catch {
      // what is known stays
    }
  }

  return {
    element,
    show(predictions, horizon) {
      if (predictions.length > 0 && Date.now() - askedMs > LOOK_MS) ask();
      const score = scores.find((each) => each.horizon === horizon);
      summaryTiles(predictions, horizon, score).forEach((tile, index) => show(index, tile));
    },
  };
}
