// Candles with volume, indicators, and the forecast as a fan.

import { Bands } from "./bands.js";
import { fanPoints, fanTimes } from "./fan.js";
import { chartTime, Frame, QUIET } from "./frame.js";

const VOLUME_MARGINS = { top: 0.82, bottom: 0 };
const UNMARKED = { ...QUIET, crosshairMarkerVisible: false };
const BARS_AT_FIRST = 90;

/** The chart of a ticker's price. */
export class PriceChart extends Frame {
  #candles;
  #volume;
  #target;
  #fan = new Bands();
  #lines = new Map(); // name of an indicator -> its series
  #shades = null;
  #count = 0;

  constructor(library, box) {
    super(library, box);
    const { chart } = this;
    this.#volume = chart.addHistogramSeries({ ...UNMARKED, priceScaleId: "", priceFormat: { type: "volume" } });
    this.#volume.priceScale().applyOptions({ scaleMargins: VOLUME_MARGINS });
    chart.priceScale("right").applyOptions({ scaleMargins: { top: 0.05, bottom: 0.2 } });
    this.#target = chart.addLineSeries({ ...UNMARKED, lineWidth: 2, lineStyle: library.LineStyle.Dashed });
    this.#target.attachPrimitive(this.#fan);
    this.#candles = chart.addCandlestickSeries();
    this.dress();
  }

  /** Show bars, oldest first, the one that forms at the end. */
  setBars(bars) {
    this.#candles.setData(bars.map(candle));
    this.#volume.setData(bars.map((bar) => this.#volumeOf(bar)));
    const last = bars.at(-1);
    if (last === undefined) return;
    this.setBarSeconds(chartTime(last.end) - chartTime(last.start));
    // The last bar comes by itself before all others do: where the past has just come, it is shown.
    if (bars.length > this.#count + 1) this.#place(bars.length);
    this.#count = bars.length;
  }

  /** Show the bar so far; it is newer than all that closed. */
  setForming(bar) {
    this.#candles.update(candle(bar));
    this.#volume.update(this.#volumeOf(bar));
  }

  /** Show a forecast from the last closed bar on. */
  setForecast(lastBar, horizons) {
    const points = fanPoints(lastBar, horizons);
    const targets = new Map(points.map((point) => [point.time, point.target]));
    this.#target.setData(
      fanTimes(points).map((time) => (targets.has(time) ? { time, value: targets.get(time) } : { time })),
    );
    this.#fan.setPoints(points);
  }

  /** Show an indicator's `{time, value}` points; null takes it away. */
  setIndicator(name, points) {
    const line = this.#lines.get(name);
    if (points === null) {
      if (line) this.chart.removeSeries(line);
      this.#lines.delete(name);
      return;
    }
    if (!line) this.#lines.set(name, this.chart.addLineSeries({ ...UNMARKED, lineWidth: 1 }));
    this.#lines.get(name).setData(points);
    this.#dressLines();
  }

  #place(count) {
    this.chart.timeScale().setVisibleLogicalRange({ from: Math.max(0, count - BARS_AT_FIRST), to: count + 24 });
  }

  #volumeOf(bar) {
    return { time: chartTime(bar.start), value: bar.volume, color: this.#shades.line };
  }

  dressSeries(shades) {
    this.#shades = shades;
    const { up, down } = shades;
    this.#candles.applyOptions({
      upColor: shades.paper,
      downColor: down,
      borderUpColor: up,
      borderDownColor: down,
      wickUpColor: up,
      wickDownColor: down,
    });
    this.#volume.applyOptions({ color: shades.line });
    this.#target.applyOptions({ color: shades.link });
    this.#fan.dress(shades["fan-99"], shades["fan-95"]);
    this.#dressLines();
  }

  #dressLines() {
    const pens = [this.#shades.second, this.#shades.third, this.#shades.faint];
    [...this.#lines.values()].forEach((line, index) => line.applyOptions({ color: pens[index % pens.length] }));
  }
}

function candle(bar) {
  return { time: chartTime(bar.start), open: bar.open, high: bar.high, low: bar.low, close: bar.close };
}
