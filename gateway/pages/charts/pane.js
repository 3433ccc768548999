// An indicator that is no price, in a chart of its own below the candles.

import { Frame, UNMARKED } from "./frame.js";

/** The chart of lines by their `names`; one may be columns, `levels` are marked, and a `range` stays as it is. */
export class PaneChart extends Frame {
  #times; // those of the candles above, without values: so both charts have the same places
  #columns = null;
  #lines = new Map(); // name -> series
  #levels;
  #values = new Map(); // of the first line, which the crosshair follows

  constructor(library, box, { names, columns, levels = [], range }) {
    super(library, box);
    const { Solid, Dashed, Dotted } = library.LineStyle;
    const priceRange = range && { minValue: range[0], maxValue: range[1] };
    const scaled = priceRange ? { autoscaleInfoProvider: () => ({ priceRange }) } : {};
    this.chart.priceScale("right").applyOptions({ scaleMargins: { top: 0.08, bottom: 0.08 } });
    this.#times = this.chart.addLineSeries(UNMARKED);
    if (columns) this.#columns = this.chart.addHistogramSeries(UNMARKED);
    for (const name of names.filter((each) => each !== columns)) {
      const lineStyle = this.#lines.size === 0 ? Solid : Dashed;
      this.#lines.set(name, this.chart.addLineSeries({ ...UNMARKED, ...scaled, lineWidth: 2, lineStyle }));
    }
    this.#levels = levels.map((price) => this.#first.createPriceLine({ price, lineWidth: 1, lineStyle: Dotted }));
    this.dress();
  }

  /** Know these times, oldest first. */
  setTimes(times) {
    this.#times.setData(times.map((time) => ({ time })));
  }

  /** Show `{time, value}` points, by the names of their lines. */
  setPoints(points) {
    for (const [name, data] of Object.entries(points)) (this.#lines.get(name) ?? this.#columns).setData(data);
    const [first] = this.#lines.keys();
    this.#values = new Map(points[first].map(({ time, value }) => [time, value]));
  }

  /** Put the crosshair to a time. */
  point(time) {
    if (this.#values.has(time)) this.chart.setCrosshairPosition(this.#values.get(time), time, this.#first);
    else this.chart.clearCrosshairPosition();
  }

  get #first() {
    return this.#lines.values().next().value;
  }

  dressSeries(shades) {
    const pens = [shades.link, shades.third];
    [...this.#lines.values()].forEach((line, index) => line.applyOptions({ color: pens[index] }));
    this.#columns?.applyOptions({ color: shades.faint });
    for (const level of this.#levels) level.applyOptions({ color: shades.faint, axisLabelColor: shades.faint });
  }
}
