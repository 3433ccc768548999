// Scores of the hold-out, beside the forecasts without skill. Pure, but for the table.

import { bars, count, fineShare, number } from "../base/format.js";
import { dataTable } from "../parts/table.js";

const COLUMNS = [
  { head: "Who", text: ({ name }) => name.replaceAll("_", " ") },
  { head: "Over", text: ({ score }) => bars(score.horizon) },
  { head: "Cases", number: true, text: ({ score }) => count(score.count) },
  {
    head: "Direction right",
    number: true,
    text: ({ score }) => (score.hit_rate === null ? "–" : fineShare(score.hit_rate)),
  },
  { head: "Mean error", number: true, text: ({ score }) => number(score.mean_absolute_error) },
  { head: "Root mean squared error", number: true, text: ({ score }) => number(score.root_mean_squared_error) },
];

/** Give everybody's scores, horizon by horizon: the ensemble, its members, those without skill. */
export function scoreRows({ hold_out: together, members, baselines }) {
  const named = [
    ["the ensemble", together ?? []],
    ...(members ?? []).map((member) => [member.name, member.hold_out]),
    ...Object.entries(baselines ?? {}).map(([name, scores]) => [`${name} (no skill)`, scores]),
  ];
  const rows = named.flatMap(([name, scores]) => scores.map((score) => ({ name, score })));
  return rows.sort((one, other) => one.score.horizon - other.score.horizon);
}

/** Make the table. */
export const scoresTable = (models) =>
  dataTable("Errors (of the log return) on data that training did not see", COLUMNS, scoreRows(models));
