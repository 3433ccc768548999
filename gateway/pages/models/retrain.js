// The button that asks for a retraining, and how that goes.

import { make, say } from "../base/elements.js";
import { share } from "../base/format.js";
import { inPath } from "../data/api.js";

const LOOK_MS = 2000;
const ENDED = new Set(["done", "refused", "failed"]);

const WHY_NOT = {
  403: "That needs an account or key with the scope admin.",
  404: "This gateway takes no such commands: use “tickcast models retrain” where it runs.",
  405: "This gateway takes no such commands: use “tickcast models retrain” where it runs.",
};

/** Make the part; `ticker()` names any: models are pooled, so its retraining is that of the set. */
export function retrainPart(api, ticker) {
  const told = make("p", { id: "retraining" });
  const bar = make("progress", { max: 1, hidden: true, "aria-label": "Progress of the retraining" });
  const button = make("button", { type: "button", "aria-describedby": told.id, onclick: ask }, "Retrain the models");
  let timer = null;

  async function ask() {
    button.disabled = true;
    say(told, "asked…");
    try {
      follow(await api.post(`/model/retrain/${inPath(ticker())}`, {}));
    } catch (error) {
      ended(WHY_NOT[error.status] ?? `It was refused: ${error.message}`);
    }
  }

  function follow(job) {
    const words = [job.status, share(job.progress ?? 0), job.message, job.decision?.reason].filter(Boolean).join(", ");
    if (ENDED.has(job.status)) return ended(words);
    bar.hidden = false;
    bar.value = job.progress ?? 0;
    say(told, words);
    timer = setTimeout(() => look(job.job), LOOK_MS);
    return undefined;
  }

  async function look(id) {
    try {
      follow(await api.get(`/jobs/${inPath(id)}`));
    } catch (error) {
      ended(`How it goes cannot be seen: ${error.message}`);
    }
  }

  function ended(words) {
    say(told, words);
    bar.hidden = true;
    button.disabled = false;
  }

  return {
    element: make("div", {}, make("div", { class: "bar" }, button), bar, told),
    close: () => clearTimeout(timer),
  };
}
