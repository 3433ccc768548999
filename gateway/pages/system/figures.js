// The system in a few figures. Pure.

import { age, count, fineShare, roughly, seconds } from "../base/format.js";

/** Give the tile of `/health`; null: it does not answer. */
export function stateTile(health) {
  const title = "State";
  if (health === null) return { title, value: "✕ away", note: "the gateway does not answer", tone: "down" };
  const well = health.status === "healthy";
  const note = `version ${health.version}; ${count(health.tickers)} tickers, ${count(health.websocket_clients)} watching`;
  return { title, value: well ? "● healthy" : "⚠ degraded", note, tone: well ? "up" : "warn" };
}

/** Give the tiles of `/performance/summary` and the paths of `/performance/metrics`. */
export function figureTiles(summary, paths) {
  return [
    {
      title: "Tick to gateway",
      value: seconds(summary.tick_to_gateway_p50_seconds),
      note: `half of all; 99% within ${seconds(summary.tick_to_gateway_p99_seconds)}`,
    },
    {
      title: "Predicted within 100 ms",
      value: fineShare(summary.predictions_under_100_ms ?? NaN),
      note: "of the newest, from feature to prediction",
    },
    {
      title: "Requests",
      value: `${roughly(summary.requests_per_second)} a second`,
      note: [
        `95% within ${seconds(summary.p95_seconds)}`,
        `${fineShare(failedShare(paths))} failed`,
        `${fineShare(summary.cache_hit_rate ?? NaN)} from memory`,
        `up for ${age(summary.uptime_seconds)}`,
      ].join("; "),
    },
  ];
}

/** Give the share of answers that say that something went wrong. Those of `/health` say how it is, and are no failures. */
function failedShare(paths) {
  const asked = paths.filter(({ path }) => path !== "*" && path !== "/health");
  const sum = (number) => asked.reduce((total, each) => total + number(each), 0);
  return sum(({ count: all, error_rate: rate }) => all * rate) / sum(({ count: all }) => all);
}
