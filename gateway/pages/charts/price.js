// Candles with volume, indicators, what became of predictions, and the forecast as a fan.

import { Bands } from "./bands.js";
import { fanPoints, fanTimes } from "./fan.js";
import { chartTime, Frame, UNMARKED } from "./frame.js";
import { hitMark } from "./marks.js";

const VOLUME_MARGINS = { top: 0.82, bottom: 0 };
/** Shown at first: bars that closed, fewer where each would be narrower than that, and room for the forecast. */
const BARS_AT_FIRST = 90;
const BAR_PIXELS = 8;
const SLOTS_AHEAD = 24;

/** The chart of a ticker's price. */
export class PriceChart extends Frame {
  #box;
  #candles;
  #volume;
  #target;
  #fan = new Bands();
  #lines = new Map(); // name of an indicator's line -> its series
  #marks = [];
  #shades = null;
  #closes = new Map(); // time -> close, oldest first
  #fanTimes = [];
  #told = "";
  #listeners = new Set();

  constructor(library, box) {
    super(library, box);
    const { chart } = this;
    this.#box = box;
    this.#volume = chart.addHistogramSeries({ ...UNMARKED, priceScaleId: "", priceFormat: { type: "volume" } });
    this.#volume.priceScale().applyOptions({ scaleMargins: VOLUME_MARGINS });
    chart.priceScale("right").applyOptions({ scaleMargins: { top: 0.05, bottom: 0.2 } });
    this.#target = chart.addLineSeries({ ...UNMARKED, lineWidth: 2, lineStyle: library.LineStyle.Dashed });
    this.#target.attachPrimitive(this.#fan);
    this.#candles = chart.addCandlestickSeries();
    this.dress();
  }

  /** Hear of all times that it has a place for, at once and when there are others; gives what ends it. */
  onTimes(listener) {
    this.#listeners.add(listener);
    listener(this.#times());
    return () => this.#listeners.delete(listener);
  }

  /** Show bars, oldest first, the one that forms at the end. */
  setBars(bars) {
    const known = this.#closes.size;
    this.#candles.setData(bars.map(candle));
    this.#volume.setData(bars.map((bar) => this.#volumeOf(bar)));
    this.#closes = new Map(bars.map((bar) => [chartTime(bar.start), bar.close]));
    const last = bars.at(-1);
    if (last === undefined) return;
    this.setBarSeconds(chartTime(last.end) - chartTime(last.start));
    this.#tellTimes();
    // The last bar comes by itself before all others do: where the past has just come, it is shown.
    if (bars.length > known + 1) this.#place(bars.length);
  }

  /** Show the bar so far; it is newer than all that closed. */
  setForming(bar) {
    this.#candles.update(candle(bar));
    this.#volume.update(this.#volumeOf(bar));
    this.#closes.set(chartTime(bar.start), bar.close);
    this.#tellTimes();
  }

  /** Show a forecast from the last closed bar on. */
  setForecast(lastBar, horizons) {
    const points = fanPoints(lastBar, horizons);
    const targets = new Map(points.map((point) => [point.time, point.target]));
    this.#fanTimes = fanTimes(points);
    this.#target.setData(
      this.#fanTimes.map((time) => (targets.has(time) ? { time, value: targets.get(time) } : { time })),
    );
    this.#fan.setPoints(points);
    this.#tellTimes();
  }

  /** Show indicators' `{time, value}` points, by the names of their lines; lines that are not named go. */
  setIndicators(points) {
    for (const [name, line] of this.#lines) {
      if (name in points) continue;
      this.chart.removeSeries(line);
      this.#lines.delete(name);
    }
    for (const [name, data] of Object.entries(points)) {
      if (!this.#lines.has(name)) this.#lines.set(name, this.chart.addLineSeries({ ...UNMARKED, lineWidth: 1 }));
      this.#lines.get(name).setData(data);
    }
    this.#dressLines();
  }

  /** Mark bars at which a prediction proved right or wrong: `{time, hit}`, oldest first. */
  setMarks(marks) {
    this.#marks = marks;
    this.#dressMarks();
  }

  /** Put the crosshair to a time. */
  point(time) {
    if (this.#closes.has(time)) this.chart.setCrosshairPosition(this.#closes.get(time), time, this.#candles);
    else this.chart.clearCrosshairPosition();
  }

  #times() {
    return [...new Set([...this.#closes.keys(), ...this.#fanTimes])].sort((one, other) => one - other);
  }

  #tellTimes() {
    if (this.#listeners.size === 0) return;
    const times = this.#times();
    const now = times.join();
    if (now === this.#told) return;
    this.#told = now;
    for (const listener of this.#listeners) listener(times);
  }

  #place(count) {
    const bars = Math.min(BARS_AT_FIRST, Math.round(this.#box.clientWidth / BAR_PIXELS));
    this.chart.timeScale().setVisibleLogicalRange({ from: Math.max(0, count - bars), to: count + SLOTS_AHEAD });
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
    this.#dressMarks();
  }

  #dressLines() {
    const pens = [this.#shades.second, this.#shades.third, this.#shades.faint];
    [...this.#lines.values()].forEach((line, index) => line.applyOptions({ color: pens[index % pens.length] }));
  }

  #dressMarks() {
    this.#candles.setMarkers(
      this.#marks.map((mark) => hitMark(mark, this.#shades, mark.hit ? "belowBar" : "aboveBar")),
    );
  }
}

function candle(bar) {
  return { time: chartTime(bar.start), open: bar.open, high: bar.high, low: bar.low, close: bar.close };
}
