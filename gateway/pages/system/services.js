// What each service says of itself, as rows. Pure.

import { age, bytes, count, number, seconds } from "../base/format.js";

const SIGNS = { ready: "●", ended: "●", degraded: "⚠", stopping: "✕" };
const listed = (figures, text) =>
  Object.entries(figures ?? {})
    .map(([name, value]) => `${name.replaceAll("_", " ")} ${text(value)}`)
    .join(", ") || "–";

export const SERVICES = [
  { head: "Part", text: ({ service, instance }) => `${service} ${instance.instance}` },
  { head: "State", text: ({ instance }) => `${SIGNS[instance.state] ?? "◌"} ${instance.state.replaceAll("_", " ")}` },
  { head: "Memory", number: true, text: ({ instance }) => bytes(instance.memory_bytes) },
  {
    head: "Lag, records",
    number: true,
    text: ({ instance }) => (instance.lag_records === null ? "–" : count(instance.lag_records)),
  },
  { head: "Reported", number: true, text: ({ instance }) => `${age(instance.age_seconds)} ago` },
  { head: "Throughput, each second", text: ({ instance }) => listed(instance.rates, number), style: "words" },
  { head: "Latency", text: ({ instance }) => listed(instance.latency_seconds, seconds), style: "words" },
  { head: "Says", text: ({ instance }) => instance.message || "–", style: "words" },
];

/** Give a row for every instance. */
export const serviceRows = (services) =>
  Object.entries(services).flatMap(([service, { instances }]) => instances.map((instance) => ({ service, instance })));

export const STAGES = [
  { head: "Stage", text: ([stage]) => stage.replaceAll("_", " ") },
  { head: "Half of all within", number: true, text: ([, times]) => seconds(times.p50_seconds) },
  { head: "95% within", number: true, text: ([, times]) => seconds(times.p95_seconds) },
  { head: "99% within", number: true, text: ([, times]) => seconds(times.p99_seconds) },
  { head: "Of the newest", number: true, text: ([, times]) => count(times.count) },
];
