// Whether the models drift, and what the detectors say.

import { make } from "../base/elements.js";
import { panel } from "../parts/panel.js";
import { dataTable } from "../parts/table.js";

const REASONS = { drift: "errors drift", age: "the models are old" };
const COLUMNS = [
  { head: "What", text: ([what]) => what.replaceAll("_", " ") },
  { head: "State", text: ([, state]) => state },
];

/** Make the panel. */
export function driftPanel({ retrain_recommended: recommended, retrain_reasons: reasons }, drift) {
  const words = recommended
    ? `⚠ A retraining is recommended: ${reasons.map((reason) => REASONS[reason] ?? reason).join(" and ")}.`
    : "● No retraining is recommended.";
  const states = Object.entries(drift);
  const said = states.length > 0 ? dataTable("What the detectors say", COLUMNS, states) : "The detectors say nothing.";
  return panel("Drift", { wide: true }, make("p", { class: recommended ? "warn" : null }, words), said);
}
