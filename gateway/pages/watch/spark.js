// A small line of the last closes.

import { makeSvg } from "../base/elements.js";

const WIDTH = 100;
const HEIGHT = 28;

/** Make the picture; a picture of what the price beside it says, so it has no name of its own. */
export function makeSpark() {
  const line = makeSvg("path", {});
  const svg = makeSvg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    line,
  );
  return { svg, line };
}

/** Draw the values, oldest first. */
export function drawSpark({ line }, values) {
  line.setAttribute("d", values.length < 2 ? "" : pathOf(values));
}

function pathOf(values) {
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const step = WIDTH / (values.length - 1);
  const points = values.map((value, index) => {
    const y = HEIGHT - 2 - ((value - low) / span) * (HEIGHT - 4);
    return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}
