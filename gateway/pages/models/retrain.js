// The button that asks for a retraining, and how that goes to its end: of whoever asked.

import { make } from "../base/elements.js";
import { inPath } from "../data/api.js";
import { paragraphs } from "../parts/panel.js";
import { hasEnded, jobWords } from "./job.js";

const LOOK_MS = 2000;

const WHY_NOT = {
  403: "That needs an account or key with the scope admin.",
  404: "This gateway takes no such commands: use “tickcast models retrain” where it runs.",
  405: "This gateway takes no such commands: use “tickcast models retrain” where it runs.",
};

const OUT_OF_SIGHT = new Set([403, 404]); // it is not for this person to see, or not there

let followed = null; // the last training that was followed, wherever the person went meanwhile

/**
 * Make the part. `ticker()` names any: models are pooled, so its retraining is that of the set. `ended()` is called when
 * a training has come to its end.
 */
export function retrainPart({ api, condition }, ticker, ended) {
  const told = make("div", { id: "retraining" });
  const bar = make("progress", { max: 1, hidden: true, "aria-label": "Progress of the retraining" });
  const button = make("button", { type: "button", "aria-describedby": told.id, onclick: ask }, "Retrain the models");
  let timer = null;
  let closed = false;

  async function ask() {
    button.disabled = true;
    tell(["◌ Asked…"]);
    try {
      const { job } = await api.post(`/model/retrain/${inPath(ticker())}`, {});
      follow(job);
    } catch (error) {
      rest([WHY_NOT[error.status] ?? `It was refused: ${error.message}`]);
    }
  }

  function follow(id) {
    clearTimeout(timer);
    followed = id;
    look();
  }

  async function look() {
    try {
      const job = await api.get(`/jobs/${inPath(followed)}`);
      if (!closed) show(job);
    } catch (error) {
      if (closed) return;
      const words = [`How it goes cannot be seen: ${error.message}`];
      if (OUT_OF_SIGHT.has(error.status)) rest(words);
      else goesOn(words); // the gateway is away or busy, or reads what was
    }
  }

  function show(job) {
    if (hasEnded(job)) {
      rest(jobWords(job));
      ended();
      return;
    }
    bar.hidden = false;
    bar.value = job.progress;
    goesOn([...jobWords(job), `Asked for by ${job.asked_by}.`]);
  }

  function goesOn(words) {
    button.disabled = true;
    tell(words);
    timer = setTimeout(look, LOOK_MS);
  }

  function rest(words) {
    tell(words);
    bar.hidden = true;
    button.disabled = false;
  }

  function tell(words) {
    told.replaceChildren(...paragraphs(words));
  }

  const stop = condition.listen(({ health }) => {
    const running = runningRetrain(health);
    if (running !== null && running !== followed) follow(running);
  });
  if (followed !== null) follow(followed);
  return {
    element: make("div", {}, make("div", { class: "bar" }, button), bar, told),
    close() {
      closed = true;
      clearTimeout(timer);
      stop();
    },
  };
}

/** Give the id of the training that the trainer works on; null where there is none. */
function runningRetrain(health) {
  const commands = health?.services.trainer?.instances.flatMap((instance) => instance.commands) ?? [];
  return commands.find(({ action, state }) => action === "retrain" && state === "running")?.id ?? null;
}
