// A command to the trainer, in words. Pure.

import { number, share } from "../base/format.js";

const ENDED = new Set(["done", "refused", "failed"]);
const BECAME = {
  trained: (set) => `${set} was trained, and serves now`,
  promoted: (set) => `${set} was trained, found no worse, and serves now`,
  challenged: (set) => `${set} was trained, and is shown beside the set that serves until it has proved itself`,
  rejected: (set, { serving }) => `${serving ?? "No set"} goes on ${serving ? "serving" : "in its place"}`,
};

/** Tell whether nothing more becomes of it. */
export const hasEnded = (job) => ENDED.has(job.status);

/** Say how it stands, or what became of it; one sentence a list entry. */
export function jobWords(job) {
  if (job.status === "queued") return [`◌ It waits for the trainer${after(job.message)}.`];
  if (job.status === "running") return [`◌ It runs, ${share(job.progress)} done${after(job.message)}.`];
  const { decision } = job;
  if (!decision) return [`${signOf(job)} It ended${after(job.message)}.`];
  const became = BECAME[decision.action]?.(decision.model_set, decision) ?? decision.action.replaceAll("_", " ");
  return [`${signOf(job)} ${became}.`, `Because: ${decision.reason}.`, ...numbersOf(decision)];
}

const after = (message) => (message ? `: ${message}` : "");
const signOf = ({ status }) => (status === "done" ? "● Done:" : status === "refused" ? "■ Not taken:" : "✕ Failed:");

function numbersOf({ numbers }) {
  const known = Object.entries(numbers ?? {});
  if (known.length === 0) return [];
  return [`Decided on: ${known.map(([name, value]) => `${name.replaceAll("_", " ")} ${number(value)}`).join(", ")}.`];
}
