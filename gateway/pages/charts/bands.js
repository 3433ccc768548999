// Bands of how sure a line is: a primitive of Lightweight Charts.

/** Draws bands at 99 % and 95 % below a series, by `{time, target, bands: {95: [low, high], 99: …}}`. */
export class Bands {
  #points = [];
  #shades = null;
  #chart = null;
  #series = null;
  #redraw = () => {};

  attached({ chart, series, requestUpdate }) {
    [this.#chart, this.#series, this.#redraw] = [chart, series, requestUpdate];
  }

  /** Show these points. */
  setPoints(points) {
    this.#points = points;
    this.#redraw();
  }

  /** Put on colours: the wide band's, then the narrow one's. */
  dress(wide, narrow) {
    this.#shades = { 99: wide, 95: narrow };
    this.#redraw();
  }

  updateAllViews() {}

  paneViews() {
    return [{ zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.#draw(target) }) }];
  }

  autoscaleInfo() {
    const edges = this.#points.flatMap(({ target, bands }) => bands[99] ?? bands[95] ?? [target]);
    return edges.length === 0 ? null : { priceRange: { minValue: Math.min(...edges), maxValue: Math.max(...edges) } };
  }

  #draw(target) {
    if (this.#shades === null) return;
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio, verticalPixelRatio }) => {
      for (const level of [99, 95]) {
        const corners = this.#corners(level);
        if (corners.length < 4) continue;
        context.fillStyle = this.#shades[level];
        context.beginPath();
        for (const [x, y] of corners) context.lineTo(x * horizontalPixelRatio, y * verticalPixelRatio);
        context.fill();
      }
    });
  }

  #corners(level) {
    const known = this.#points.filter((point) => point.bands[level]);
    const corner = (edge) => (point) => [
      this.#chart.timeScale().timeToCoordinate(point.time),
      this.#series.priceToCoordinate(point.bands[level][edge]),
    ];
    const corners = [...known.map(corner(1)), ...known.reverse().map(corner(0))];
    return corners.every(([x, y]) => x !== null && y !== null) ? corners : [];
  }
}
