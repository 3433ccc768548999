// Which models serve, what they were trained on, how good they were, and whether they drift.

import { make } from "../base/elements.js";
import { count, fineShare, seconds, time } from "../base/format.js";
import { retrainPart } from "../models/retrain.js";
import { scoresTable } from "../models/scores.js";
import { facts, panel, paragraphs } from "../parts/panel.js";
import { dataTable } from "../parts/table.js";

const LOOK_MS = 10000;
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
const DRIFT = [
  { head: "What", text: ([what]) => what.replaceAll("_", " ") },
  { head: "State", text: ([, state]) => state },
];

/** Show the models. */
export function modelsView({ api, market }) {
  const inside = make("div", { class: "cards" }, "…");
  let shown = "";
  const retrain = retrainPart(api, () => [...market.latest.keys()][0] ?? "*");
  const retraining = panel("Retraining", {}, retrain.element);

  async function load() {
    if (document.hidden) return;
    try {
      const [models, accuracy] = await Promise.all([
        api.get("/models/status"),
        api.get("/accuracy").catch(() => ({ drift: {} })),
      ]);
      show(models, accuracy.drift);
    } catch (error) {
      inside.replaceChildren(...paragraphs([`Not known now: ${error.message}`]));
    }
  }

  function show({ age_seconds: _age, ...models }, drift) {
    const now = JSON.stringify([models, drift]);
    if (now === shown) return; // what somebody reads or has the focus in stays
    shown = now;
    inside.replaceChildren(...cardsOf(models, drift), retraining);
  }

  load();
  const timer = setInterval(load, LOOK_MS);
  return {
    title: "Models",
    element: make("div", {}, make("div", { class: "head" }, make("h1", {}, "Models")), inside),
    close() {
      clearInterval(timer);
      retrain.close();
    },
  };
}

function cardsOf(models, drift) {
  if (!models.loaded)
    return [
      panel(
        "Champion",
        {},
        ...paragraphs([models.message ?? "No model set serves: the statistical forecaster answers."]),
      ),
      driftPanel(models, drift),
    ];
  return [
    panel(
      "Champion",
      {},
      facts([
        ["Model set", models.serving],
        ["State", models.ready ? "● serving" : `◌ loaded, the predictor is ${models.predictor ?? "silent"}`],
        ["Decided", `${time(models.decided_at)} UTC by ${models.decided_by}`],
        ["Why", models.reason],
      ]),
    ),
    panel(
      "Challenger",
      {},
      ...paragraphs([
        models.challenger
          ? `${models.challenger} runs beside the champion: shown and scored, not counted.`
          : "None runs beside the champion now.",
      ]),
    ),
    panel(
      "Training data",
      {},
      facts([
        ["From", time(models.train_start)],
        ["To", time(models.train_end)],
        ["Interval", models.interval],
        [
          "Tickers",
          `${count(models.tickers.length)}: ${models.tickers.slice(0, 8).join(", ")}${models.tickers.length > 8 ? "…" : ""}`,
        ],
        ["Features", `version ${models.feature_version}`],
      ]),
    ),
    driftPanel(models, drift),
    panel("Members", { wide: true }, dataTable("Members of the set that serves", MEMBERS, models.members)),
    panel("Metrics", { wide: true }, scoresTable(models)),
  ];
}

const REASONS = { drift: "errors drift", age: "the models are old" };

function driftPanel({ retrain_recommended: recommended, retrain_reasons: reasons }, drift) {
  const words = recommended
    ? `⚠ A retraining is recommended: ${reasons.map((reason) => REASONS[reason] ?? reason).join(" and ")}.`
    : "● No retraining is recommended.";
  const states = Object.entries(drift);
  const details =
    states.length > 0
      ? dataTable("What the detectors say", DRIFT, states)
      : make("p", { class: "faint" }, "The detectors say nothing.");
  return panel("Drift", {}, make("p", { class: recommended ? "warn" : null }, words), details);
}
