// The latest prediction of every ticker. The page shows what is newest, so it comes back with a snapshot of that.

import { Line } from "./line.js";

/** Provisional updates a second and ticker: more than that no eye follows. */
const PACE = 2;

/** Tells its listeners which ticker has changed; null: any may have. */
export class Market {
  latest = new Map();
  known = false; // whether the gateway has said all it has
  #listeners = new Set();
  #snapshot = new Set();

  /** Hear of changes; gives what ends it. */
  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follow the gateway's predictions. */
  follow(session, changed, heartbeat) {
    return new Line({
      path: "/ws/predictions",
      session,
      changed,
      subscription: () => ({ action: "subscribe", tickers: ["*"], max_rate: PACE }),
      heard: (message) => {
        if (message.type === "prediction") this.#keep(message);
        else if (message.type === "snapshot") this.#take(message);
        else if (message.type === "heartbeat") heartbeat(message);
        else if (message.type === "subscribed") this.#snapshot.clear();
      },
    }).open();
  }

  /** Forget everything: who looks at the page is somebody else. */
  clear() {
    this.latest.clear();
    this.known = false;
    this.#tell(null);
  }

  #keep(prediction) {
    this.latest.set(prediction.ticker, prediction);
    this.#tell(prediction.ticker);
  }

  #take({ predictions, complete }) {
    for (const prediction of predictions) {
      this.#snapshot.add(prediction.ticker);
      this.latest.set(prediction.ticker, prediction);
    }
    if (complete) this.#know();
    this.#tell(null);
  }

  #know() {
    this.known = true;
    for (const ticker of this.latest.keys()) if (!this.#snapshot.has(ticker)) this.latest.delete(ticker);
  }

  #tell(ticker) {
    for (const listener of this.#listeners) listener(ticker);
  }
}

/** Give what a prediction says of a horizon; of its shortest one where it does not have that. */
export function at(prediction, horizon) {
  return prediction.horizons.find((each) => each.horizon === horizon) ?? prediction.prediction;
}

/** Give the change of the price since the bar opened, as a share; null where no bar is known. */
export function sinceOpen(prediction) {
  return prediction.bar ? prediction.current_price / prediction.bar.open - 1 : null;
}

/** What `degraded` says of old models that answered in full: a retraining is recommended, and nothing is missing. */
const OLD = "stale: retrain_recommended";

/** Give why less than the full ensemble answered; null where all of it did. */
export const shortfall = ({ degraded }) => (degraded === OLD ? null : degraded);

/** Give what has to be said beside a prediction. */
export function remarks(prediction) {
  return [
    shortfall(prediction) && `degraded: ${prediction.degraded}`,
    prediction.degraded === OLD && "old models",
    prediction.in_sample && "in sample",
    prediction.partial && "ticks were lost",
    prediction.origin !== "normal" && prediction.origin.replaceAll("_", " "),
  ]
    .filter(Boolean)
    .join(", ");
}
