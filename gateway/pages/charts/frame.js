// What all charts share: their size, their colours, their picture.

import { colours, onTheme } from "../base/theme.js";

const COLOURS = ["paper", "ink", "faint", "line", "up", "down", "link", "second", "third", "fan-95", "fan-99"];
const DAY_SECONDS = 86400;

/** What a line has that says nothing of its last value at the price scale. */
export const QUIET = { priceLineVisible: false, lastValueVisible: false };
/** What a line has beside others that the crosshair is for. */
export const UNMARKED = { ...QUIET, crosshairMarkerVisible: false };

/** Give a time of the API as charts count it: seconds since 1970. */
export const chartTime = (text) => Date.parse(text) / 1000;

/** Give things by time, oldest first, the last of those that have one time. */
export const byTime = (things, timeOf) =>
  [...new Map(things.map((each) => [chartTime(timeOf(each)), each]))].sort(([one], [other]) => one - other);

/** A chart in a box. `dressSeries(shades)` of each puts colours on its series, whenever it is dressed. */
export class Frame {
  chart;
  #stopTheme;

  constructor(library, box) {
    this.chart = library.createChart(box, {
      autoSize: true,
      handleScroll: { mouseWheel: false, vertTouchDrag: false }, // the wheel and a finger scroll the page
      handleScale: { mouseWheel: false },
      rightPriceScale: { borderVisible: false },
      timeScale: { borderVisible: false, rightOffset: 2 },
      kineticScroll: { touch: false },
    });
    this.#stopTheme = onTheme(() => this.dress());
  }

  /** Put on the colours of the theme. */
  dress() {
    const shades = colours(...COLOURS);
    this.chart.applyOptions({
      layout: { background: { color: shades.paper }, textColor: shades.faint, fontFamily: "system-ui, sans-serif" },
      grid: { vertLines: { color: shades.line }, horzLines: { color: shades.line } },
    });
    this.dressSeries(shades);
  }

  /** Say how long a bar is, so that times of day are shown where there are any. */
  setBarSeconds(seconds) {
    this.chart.applyOptions({ timeScale: { timeVisible: seconds < DAY_SECONDS, secondsVisible: seconds < 60 } });
  }

  /** Give the chart as a PNG. */
  picture() {
    return new Promise((resolve) => {
      this.chart.takeScreenshot().toBlob(resolve, "image/png");
    });
  }

  close() {
    this.#stopTheme();
    this.chart.remove();
  }
}
