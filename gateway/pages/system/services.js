// What each service says of itself, as rows. Pure.

import { age, bytes, count, roughly, seconds } from "../base/format.js";

const UNBROKEN = "\u00a0";
const SIGNS = { ready: "●", ended: "●", degraded: "⚠", stopping: "✕" };
const words = (name) => name.replaceAll("_", " ");
const listed = (figures, text) =>
  Object.entries(figures ?? {})
    .map(([name, value]) => `${words(name)} ${text(value)}`.replaceAll(" ", UNBROKEN))
    .join(", ") || "–";

export const SERVICES = [
  { head: "Part", text: ({ service, instance, alone }) => words(service) + (alone ? "" : ` ${instance.instance}`) },
  { head: "State", text: ({ instance }) => `${SIGNS[instance.state] ?? "◌"} ${words(instance.state)}` },
  { head: "Memory", number: true, text: ({ instance }) => bytes(instance.memory_bytes) },
  {
    head: "Lag, records",
    number: true,
    text: ({ instance }) => (instance.lag_records === null ? "–" : count(instance.lag_records)),
  },
  { head: "Each second", text: ({ instance }) => listed(instance.rates, roughly), style: "words" },
  { head: "Takes", text: ({ instance }) => listed(instance.latency_seconds, seconds), style: "words" },
  { head: "Says", text: ({ instance }) => instance.message || "–", style: "words" },
  { head: "Reported", number: true, text: ({ instance }) => `${age(instance.age_seconds)} ago` },
];

/** Give a row for every instance. */
export const serviceRows = (services) =>
  Object.entries(services).flatMap(([service, { instances }]) =>
    instances.map((instance) => ({ service, instance, alone: instances.length === 1 })),
  );

export const STAGES = [
  { head: "Stage", text: ([stage]) => words(stage) },
  { head: "Half within", number: true, text: ([, times]) => seconds(times.p50_seconds) },
  { head: "95% within", number: true, text: ([, times]) => seconds(times.p95_seconds) },
  { head: "99% within", number: true, text: ([, times]) => seconds(times.p99_seconds) },
  { head: "Of the newest", number: true, text: ([, times]) => count(times.count) },
];

/** Say how the start went: sentences, each with its style. */
export function startWords(warmup) {
  const after = warmup.seconds === null ? "" : ` ${seconds(warmup.seconds)} after its start`;
  const models = warmup.models_loaded.join(", ") || "none yet";
  return [
    [warmup.ready ? `● The gateway was ready${after}.` : "◌ The latest predictions are still being read.", null],
    [`Models that answered the newest prediction: ${models}.`, null],
    ...warmup.errors.map((error) => [`⚠ ${error}`, "warn"]),
  ];
}
