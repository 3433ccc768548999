// Whether the models drift, in words, and what the detectors say. As `tickcast drift` has it.

import { make } from "../base/elements.js";
import { share } from "../base/format.js";
import { panel, paragraphs } from "../parts/panel.js";
import { dataTable } from "../parts/table.js";

const REASONS = { drift: "errors drift", age: "the models are old" };
const TESTS = {
  error: "Squared error, beside its mean of the 250 dates before",
  loss: "Loss against “no change”, in units of volatility",
};
/** The fewest dates of which the test of the error says something. */
const LEAST_DATES = 90;
const COLUMNS = [
  { head: "What is watched", text: ({ name }) => TESTS[name] },
  { head: "State", text: stateOf },
  { head: "Of its threshold", number: true, text: ({ excess }) => share(excess) },
];

function stateOf({ state, dates }) {
  if (state !== "alarm") return "● stable";
  return `⚠ in alarm for ${dates === "1" ? "1 date" : `${dates ?? 0} dates`}`;
}

/** Make the panel. */
export function driftPanel({ retrain_recommended: recommended, retrain_reasons: reasons }, drift) {
  const words = recommended
    ? `⚠ A retraining is recommended: ${reasons.map((reason) => REASONS[reason] ?? reason).join(" and ")}.`
    : "● No retraining is recommended.";
  const verdict = make("p", { class: recommended ? "warn" : null }, words);
  return panel("Drift", { wide: true }, verdict, ...paragraphs(sentences(drift)), testsTable(drift));
}

function testsTable(drift) {
  const rows = Object.keys(TESTS)
    .filter((name) => name in drift)
    .map((name) => ({
      name,
      state: drift[name],
      dates: drift[`${name}_dates`],
      excess: Number(drift[`${name}_excess`] ?? 0),
    }));
  return rows.length > 0 ? dataTable("What is watched for drift, one bar ahead", COLUMNS, rows) : null;
}

function sentences({ dates, inputs, inputs_psi: index, ...tests }) {
  if (!("error" in tests) && !("loss" in tests)) return ["Nothing is known of drift: no outcome at one bar has been scored."];
  const few = dates < LEAST_DATES ? `; so few tell little, the test of the error begins with ${LEAST_DATES}` : "";
  return [
    dates === undefined ? null : `Over ${dates} dates${few}.`,
    index === undefined ? null : `Of the inputs, ${inputs} moved most (index ${index}): that is information, and asks for nothing.`,
  ].filter(Boolean);
}
