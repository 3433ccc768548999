// The set that serves: who decided it, what it was trained on, its members and their scores.

import { count, fineShare, seconds, time } from "../base/format.js";
import { facts, panel, paragraphs } from "../parts/panel.js";
import { dataTable } from "../parts/table.js";
import { scoresTable } from "./scores.js";

const NAMED = 8;
const MEMBERS = [
  { head: "Member", text: (member) => member.name },
  { head: "Version", text: (member) => member.version },
  {
    head: "Weight before any outcome",
    number: true,
    text: (member) => (member.prior_weight > 0 ? fineShare(member.prior_weight) : "beside"),
  },
  { head: "Trained in", number: true, text: (member) => seconds(member.training_seconds) },
];

/** Make the panels that say what serves. */
export function setPanels(models) {
  if (!models.loaded) return [panel("Champion", {}, ...paragraphs([models.message ?? "No model set serves."]))];
  const champion = panel("Champion", {}, facts(championOf(models)), ...paragraphs([`Because: ${models.reason}.`]));
  return [champion, challengerPanel(models), trainingPanel(models)];
}

/** Make the panels with its numbers. */
export function scorePanels(models) {
  if (!models.loaded) return [];
  return [
    panel("Members", { wide: true }, dataTable("Members of the set that serves", MEMBERS, models.members)),
    panel("Metrics", { wide: true }, scoresTable(models)),
  ];
}

function championOf(models) {
  return [
    ["Model set", models.serving],
    ["State", models.ready ? "● serving" : `◌ loaded, the predictor is ${models.predictor ?? "silent"}`],
    ["Decided", `${time(models.decided_at)} UTC by ${models.decided_by}`],
  ];
}

function challengerPanel({ challenger }) {
  const words = challenger
    ? `${challenger} runs beside the champion: shown and scored.`
    : "None runs beside the champion now.";
  return panel("Challenger", {}, ...paragraphs([words]));
}

function trainingPanel(models) {
  const { tickers } = models;
  const named = `${tickers.slice(0, NAMED).join(", ")}${tickers.length > NAMED ? "…" : ""}`;
  return panel(
    "Training data",
    {},
    facts([
      ["From", time(models.train_start)],
      ["To", time(models.train_end)],
      ["Interval", models.interval],
      ["Tickers", `${count(tickers.length)}: ${named}`],
      ["Features", `version ${models.feature_version}`],
    ]),
  );
}
