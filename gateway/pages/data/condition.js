// How the system is: what `/health` says, and how many predictions come from a fallback.

import { shortfall } from "./market.js";

const LOOK_MS = 5000;
const WELL = new Set(["ready", "ended"]);

/** Looks at `/health` again and again; listeners get what is wrong, in words, as a list. */
export class Condition {
  troubles = [];
  health = null;
  #away = []; // why there is no health
  #market;
  #session;
  #listeners = new Set();

  constructor(market, session) {
    this.#market = market;
    this.#session = session;
  }

  /** Hear of it, at once and after every look; gives what ends it. */
  listen(listener) {
    this.#listeners.add(listener);
    listener(this);
    return () => this.#listeners.delete(listener);
  }

  start() {
    this.#look();
    this.#market.listen((ticker) => {
      if (ticker !== null) return;
      if (this.health === null)
        this.#look(); // a snapshot has come: the gateway answers
      else this.#judge();
    });
    setInterval(() => {
      if (!document.hidden) this.#look();
    }, LOOK_MS);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#look();
    });
  }

  async #look() {
    try {
      const answer = await fetch("/api/v1/health", { headers: this.#session.headers() });
      const said = await answer.json();
      this.health = answer.ok ? said : null;
      this.#away = answer.ok ? [] : [said.detail];
    } catch {
      this.health = null;
      this.#away = ["the gateway does not answer: what you see is what was last known"];
    }
    this.#judge();
  }

  #judge() {
    this.troubles = this.health ? [...ofServices(this.health), ...ofPredictions(this.#market)] : this.#away;
    for (const listener of this.#listeners) listener(this);
  }
}

function ofServices(health) {
  const named = Object.entries(health.services)
    .filter(([, service]) => !WELL.has(service.state))
    .map(([name, service]) => `${name} is ${service.state.replaceAll("_", " ")}${withoutAges(service.message)}`);
  return named.length > 0 || health.status === "healthy"
    ? named
    : [`the system is degraded${withoutAges(health.message)}`];
}

/** The line is read aloud when it changes: ages that count up are left to the system view. */
function withoutAges(message) {
  const said = message
    ?.replace(/\b(for |)\d+(\.\d+)? s( ago)?\b/, "")
    .replace(/\s+;/, ";")
    .trim();
  return said ? `: ${said}` : "";
}

function ofPredictions(market) {
  const reasons = new Map();
  for (const prediction of market.latest.values()) {
    const reason = shortfall(prediction);
    if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const affected = [...reasons.values()].reduce((sum, count) => sum + count, 0);
  if (affected === 0) return [];
  const [commonest] = [...reasons].sort((one, other) => other[1] - one[1])[0];
  return [`${affected} of ${market.latest.size} predictions are degraded: ${commonest}`];
}
