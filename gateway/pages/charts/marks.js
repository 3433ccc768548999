// How a prediction that proved right, or wrong, is marked in a chart: by its shape as well as by its colour.

/** Give the mark of `{time, hit}` at a position of its bar. */
export function hitMark({ time, hit }, shades, position) {
  return {
    time,
    position,
    shape: hit ? "circle" : "square",
    color: hit ? shades.up : shades.down,
    size: hit ? 0.6 : 0.9,
  };
}
