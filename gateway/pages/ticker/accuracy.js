// How right a ticker's predictions have been, in words.

import { make } from "../base/elements.js";
import { bars, time } from "../base/format.js";
import { inPath } from "../data/api.js";
import { panel, paragraphs } from "../parts/panel.js";
import { accuracyWords } from "./words.js";

/** Make the panel; `load()` reads it anew. */
export function accuracyPanel({ api }, ticker) {
  const inside = make("div", {}, "…");
  return {
    element: panel("How right it has been", { wide: true }, inside),
    async load() {
      try {
        inside.replaceChildren(...wordsOf(await api.get(`/accuracy/${inPath(ticker)}`)));
      } catch (error) {
        inside.replaceChildren(...paragraphs([`Not known now: ${error.message}`]));
      }
    },
  };
}

function wordsOf({ message, horizons, through }) {
  if (message) return paragraphs([message]);
  return [
    make("div", { class: "cards" }, horizons.map(ofHorizon)),
    make("p", { class: "faint" }, `Live predictions alone, up to ${time(through)} UTC.`),
  ];
}

function ofHorizon(score) {
  const title = `Over ${score.horizon === 1 ? "the " : ""}${bars(score.horizon)}`;
  return make("div", {}, make("h3", {}, title), ...paragraphs(accuracyWords(score)));
}
