// How the system is: its services, the way from tick to page, and how its start went.

import { make } from "../base/elements.js";
import { age, bytes, count, fineShare, number, seconds } from "../base/format.js";
import { dataTable, fillTable } from "../parts/table.js";
import { facts, panel, paragraphs } from "../parts/panel.js";
import { SERVICES, serviceRows, STAGES } from "../system/services.js";

const LOOK_MS = 5000;

/** Show the system. */
export function systemView({ api, condition }) {
  const services = dataTable("Services and their instances, by their last report", SERVICES);
  const stages = dataTable("From tick to gateway, the newest predictions", STAGES);
  const state = make("div", {}, "…");
  const figures = make("div", {}, "…");
  const start = make("div", {}, "…");

  async function load() {
    if (document.hidden) return;
    await Promise.all([
      written(figures, async () => {
        const [summary, metrics] = await Promise.all([
          api.get("/performance/summary"),
          api.get("/performance/metrics"),
        ]);
        fillTable(stages, STAGES, Object.entries(metrics.stages));
        return [facts(figuresOf(summary))];
      }),
      written(start, async () => startOf(await api.get("/warmup/status"))),
    ]);
  }

  const stop = condition.listen(({ health }) => {
    state.replaceChildren(...paragraphs(health ? stateOf(health) : ["The gateway does not answer now."]));
    if (health) fillTable(services, SERVICES, serviceRows(health.services));
  });
  load();
  const timer = setInterval(load, LOOK_MS);
  return {
    title: "System",
    element: make(
      "div",
      {},
      make("div", { class: "head" }, make("h1", {}, "System")),
      make(
        "div",
        { class: "cards" },
        panel("State", {}, state),
        panel("Start", {}, start),
        panel("Services", { wide: true }, services),
        panel("Latency by stage", { wide: true }, stages),
        panel("Figures", { wide: true }, figures),
      ),
    ),
    close() {
      stop();
      clearInterval(timer);
    },
  };
}

async function written(place, content) {
  try {
    place.replaceChildren(...(await content()));
  } catch (error) {
    place.replaceChildren(...paragraphs([`Not known now: ${error.message}`]));
  }
}

function stateOf(health) {
  return [
    health.status === "healthy" ? "● Healthy: every part is well." : "⚠ Degraded: the top of the page says why.",
    `Version ${health.version}; tickers: ${count(health.tickers)}; live connections: ${count(health.websocket_clients)}.`,
    ...(Object.keys(health.services).length === 0 ? ["The services are shown to who has logged in."] : []),
  ];
}

function figuresOf(summary) {
  const way = [summary.tick_to_gateway_p50_seconds, summary.tick_to_gateway_p99_seconds].map(seconds).join(" / ");
  return [
    ["Tick to gateway, half / 99%", way],
    ["Predictions within 100 ms", fineShare(summary.predictions_under_100_ms ?? NaN)],
    ["Requests a second", number(summary.requests_per_second)],
    ["Answered within, 95%", seconds(summary.p95_seconds)],
    ["Server errors", fineShare(summary.error_rate)],
    ["Answers from memory", fineShare(summary.cache_hit_rate ?? NaN)],
    ["Memory of the gateway", bytes(summary.memory_bytes)],
    ["Up for", age(summary.uptime_seconds)],
  ];
}

function startOf(warmup) {
  return [
    ...paragraphs([
      warmup.ready
        ? `● Ready${warmup.seconds === null ? "" : ` ${seconds(warmup.seconds)} after its start`}.`
        : "◌ The latest predictions are still being read.",
      `Models that answered the newest prediction: ${warmup.models_loaded.join(", ") || "none yet"}.`,
    ]),
    ...warmup.errors.map((error) => make("p", { class: "warn" }, `⚠ ${error}`)),
  ];
}
