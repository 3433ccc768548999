// How the system is: its services, the way from tick to page, and how its start went.

import { make } from "../base/elements.js";
import { dataTable, fillTable } from "../parts/table.js";
import { panel, paragraphs } from "../parts/panel.js";
import { tiles } from "../parts/tiles.js";
import { figureTiles, stateTile } from "../system/figures.js";
import { SERVICES, serviceRows, STAGES, startWords } from "../system/services.js";

const LOOK_MS = 5000;

/** Show the system. */
export function systemView({ api, condition }) {
  const services = dataTable("Services and their instances, by their last report", SERVICES);
  const stages = dataTable("From tick to gateway, the newest predictions", STAGES);
  const figures = tiles("In short", 4);
  const start = make("div", {}, "…");
  const trouble = make("div", {});
  const anonymous = make("div", {});

  async function load() {
    if (document.hidden) return;
    try {
      const asked = ["/performance/summary", "/performance/metrics", "/warmup/status"].map((path) => api.get(path));
      const [summary, metrics, warmup] = await Promise.all(asked);
      figureTiles(summary, metrics.paths).forEach((tile, index) => figures.show(index + 1, tile));
      fillTable(stages, STAGES, Object.entries(metrics.stages));
      start.replaceChildren(...startWords(warmup).map(([text, style]) => make("p", { class: style }, text)));
      trouble.replaceChildren();
    } catch (error) {
      trouble.replaceChildren(...paragraphs([`Not known now: ${error.message}`]));
    }
  }

  const stop = condition.listen(({ health }) => {
    figures.show(0, stateTile(health));
    if (health === null) return;
    const rows = serviceRows(health.services);
    fillTable(services, SERVICES, rows);
    anonymous.replaceChildren(...paragraphs(rows.length > 0 ? [] : ["Services are shown to who has logged in."]));
  });
  load();
  const timer = setInterval(load, LOOK_MS);
  return {
    title: "System",
    element: make(
      "div",
      {},
      make("div", { class: "head" }, make("h1", {}, "System")),
      trouble,
      figures.element,
      make(
        "div",
        { class: "cards" },
        panel("Services", { wide: true }, anonymous, services),
        panel("Latency by stage", {}, stages),
        panel("Start", {}, start),
      ),
    ),
    close() {
      stop();
      clearInterval(timer);
    },
  };
}
