// Which models serve, what they were trained on, how good they were, and whether they drift.

import { make } from "../base/elements.js";
import { driftPanel } from "../models/drift.js";
import { retrainPart } from "../models/retrain.js";
import { scorePanels, setPanels } from "../models/set.js";
import { panel, paragraphs } from "../parts/panel.js";

const LOOK_MS = 10000;

/** Show the models. */
export function modelsView({ api, condition, market }) {
  const trouble = make("div", {});
  const set = changingPart(setPanels);
  const drift = changingPart(({ models, detectors }) => [driftPanel(models, detectors)]);
  const scores = changingPart(scorePanels);
  const retrain = retrainPart({ api, condition }, () => [...market.latest.keys()][0] ?? "*", load);
  const retraining = panel("Retraining", {}, retrain.element);

  async function load() {
    if (document.hidden) return;
    try {
      const [{ age_seconds: _age, ...models }, accuracy] = await Promise.all([
        api.get("/models/status"),
        api.get("/accuracy").catch(() => ({ drift: {} })),
      ]);
      trouble.replaceChildren();
      for (const part of [set, scores]) part.show(models);
      drift.show({ models, detectors: accuracy.drift });
    } catch (error) {
      trouble.replaceChildren(...paragraphs([`Not known now: ${error.message}`]));
    }
  }

  load();
  const timer = setInterval(load, LOOK_MS);
  const head = make("div", { class: "head" }, make("h1", {}, "Models"));
  const cards = make("div", { class: "cards" }, set.element, retraining, drift.element, scores.element);
  return {
    title: "Models",
    element: make("div", {}, head, trouble, cards),
    close() {
      clearInterval(timer);
      retrain.close();
    },
  };
}

/** A part that is written anew only when something in it has changed: what somebody reads or has the focus in stays. */
function changingPart(panelsOf) {
  const element = make("div", { class: "parts" });
  let shown = "";
  return {
    element,
    show(data) {
      const now = JSON.stringify(data);
      if (now !== shown) element.replaceChildren(...panelsOf(data));
      shown = now;
    },
  };
}
