// The forecast of each horizon, as a table.

import { arrow, bars, change, percentPoints, price, share, time } from "../base/format.js";
import { panel } from "../parts/panel.js";
import { dataTable, fillTable } from "../parts/table.js";

const range = (said) => (said ? `${price(said.low)} to ${price(said.high)}` : "–");
const COLUMNS = [
  { head: "Over", text: (each) => bars(each.horizon) },
  { head: "Until (UTC)", text: (each) => time(each.target_time) },
  { head: "Target", number: true, text: (each) => price(each.price_target) },
  { head: "Change", number: true, text: (each) => percentPoints(each.percent) },
  { head: "Direction", text: (each) => `${arrow(each.direction)} ${each.direction}` },
  { head: "Confidence", number: true, text: (each) => share(each.confidence) },
  { head: "95% band", number: true, text: (each) => range(each.interval_95) },
  { head: "99% band", number: true, text: (each) => range(each.interval_99) },
  {
    head: "Loss at worst, 95% of cases",
    number: true,
    text: (each) => (each.loss_95_percent == null ? "–" : change(-each.loss_95_percent / 100)),
  },
  { head: "Signal", text: (each) => each.signal ?? "–" },
];

/** Make the panel; `show(prediction)` writes it. */
export function forecastPanel() {
  const table = dataTable("What the ensemble says of each horizon", COLUMNS);
  return {
    element: panel("Forecast", { wide: true }, table),
    show: ({ horizons }) => fillTable(table, COLUMNS, horizons),
  };
}
