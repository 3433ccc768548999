// How right a ticker's predictions have been: over time beside the baseline, and of each horizon in words.

import { make, say } from "../base/elements.js";
import { bars, time } from "../base/format.js";
import { AccuracyChart } from "../charts/accuracy.js";
import { inPath } from "../data/api.js";
import { passes } from "../data/problem.js";
import { ChartBox } from "../parts/chart_box.js";
import { panel, paragraphs } from "../parts/panel.js";
import { HorizonChoice } from "./horizon.js";
import { drawable, ROLLING, rollingWords } from "./rolling.js";
import { accuracyWords } from "./words.js";

const DATES = 500;

/** The panel; `load()` reads it anew. */
export class AccuracyPanel {
  #api;
  #ticker;
  #points = [];
  #horizon = new HorizonChoice(() => this.#loadRolling());
  #rolling = make("p", {}, "…");
  #words = make("div", {}, "…");
  #box;

  constructor({ api }, ticker) {
    this.#api = api;
    this.#ticker = ticker;
    this.#box = new ChartBox({
      name: `${ticker}-accuracy`,
      label: `How often the direction of ${ticker} was right over time, beside the usual direction`,
      style: "low",
      legend: ["━ right, of the dates up to then", "┅ the usual direction", "band: surely between, 95%"],
      caption: `Rolling hit rate of ${ticker} beside the usual direction's, newest first`,
      columns: () => ROLLING,
      rows: () => [...this.#points].reverse(),
      open: (library, box) => new AccuracyChart(library, box),
      draw: (chart) => chart.setPoints(drawable(this.#points)),
    });
    const tools = [this.#horizon.element, ...this.#box.tools];
    const inside = [this.#rolling, ...this.#box.parts, this.#words];
    this.element = panel("How right it has been", { wide: true, tools }, ...inside);
  }

  /** Offer a prediction's horizons. */
  show({ horizons }) {
    this.#horizon.offer(horizons);
  }

  async load() {
    const loaded = await Promise.all([this.#loadRolling(), this.#loadWords()]);
    return loaded.every(Boolean);
  }

  close() {
    this.#box.close();
  }

  async #loadRolling() {
    const horizon = this.#horizon.value === null ? "" : `&horizon=${this.#horizon.value}`;
    try {
      const document = await this.#api.get(`/accuracy/${inPath(this.#ticker)}?by=date&dates=${DATES}${horizon}`);
      this.#points = document.points;
      say(this.#rolling, rollingWords(document));
    } catch (error) {
      say(this.#rolling, `No history now: ${error.message}`);
      return !passes(error);
    }
    this.#box.renew();
    return true;
  }

  async #loadWords() {
    try {
      this.#words.replaceChildren(...wordsOf(await this.#api.get(`/accuracy/${inPath(this.#ticker)}`)));
      return true;
    } catch (error) {
      this.#words.replaceChildren(...paragraphs([`Not known now: ${error.message}`]));
      return !passes(error);
    }
  }
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
