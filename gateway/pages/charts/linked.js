// Charts below one another that move as one: Lightweight Charts 4 has no panes.

/**
 * Let a chart below another one show the same times, and both the same crosshair; gives what ends it. Both know the same
 * times, so a place on the one's time scale is the same place on the other's.
 */
export function link(above, below) {
  const ends = [
    onRange(above, () => bring(above, below)),
    // It gets another range by itself, too, as it becomes wider: only a hand on it moves both.
    onRange(below, () => (below.chart.chartElement().matches(":hover") ? bring(below, above) : bring(above, below))),
    onCrosshair(above, below),
    onCrosshair(below, above),
  ];
  bring(above, below);
  return () => ends.forEach((end) => end());
}

function onRange({ chart }, moved) {
  const scale = chart.timeScale();
  scale.subscribeVisibleLogicalRangeChange(moved);
  return () => scale.unsubscribeVisibleLogicalRangeChange(moved);
}

function onCrosshair({ chart }, other) {
  const pointed = ({ time }) => {
    if (time === undefined) other.chart.clearCrosshairPosition();
    else other.point(time);
  };
  chart.subscribeCrosshairMove(pointed);
  return () => chart.unsubscribeCrosshairMove(pointed);
}

function bring(from, to) {
  align(from, to);
  const [range, present] = [from, to].map(({ chart }) => chart.timeScale().getVisibleLogicalRange());
  if (range && !same(range, present)) to.chart.timeScale().setVisibleLogicalRange(range);
}

/** Give both price scales the width of the wider one: what is of one time stands below one another. */
function align(...charts) {
  const scales = charts.map(({ chart }) => chart.priceScale("right"));
  const widest = Math.max(...scales.map((scale) => scale.width()));
  for (const scale of scales) if (scale.width() < widest) scale.applyOptions({ minimumWidth: widest });
}

const NEAR = 1e-6;
const same = (one, other) =>
  other !== null && Math.abs(one.from - other.from) < NEAR && Math.abs(one.to - other.to) < NEAR;
