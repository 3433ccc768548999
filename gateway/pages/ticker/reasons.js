// Who said what, how much it counts, and on what it rests.

import { make } from "../base/elements.js";
import { arrow, fineShare, number, percentPoints, price, share } from "../base/format.js";
import { inPath } from "../data/api.js";
import { passes } from "../data/problem.js";
import { panel, paragraphs } from "../parts/panel.js";
import { dataTable } from "../parts/table.js";

const rolling = (member, what, text) => (member.rolling?.[what] == null ? "–" : text(member.rolling[what]));
const MEMBERS = [
  { head: "Member", text: (member) => member.name },
  { head: "Weight", number: true, text: (member) => (member.weight > 0 ? fineShare(member.weight) : "beside") },
  { head: "Says", number: true, text: (member) => percentPoints(member.percent) },
  { head: "Target", number: true, text: (member) => price(member.price_target) },
  { head: "Direction", text: (member) => `${arrow(member.direction)} ${member.direction}` },
  { head: "Confidence", number: true, text: (member) => share(member.confidence) },
  { head: "Right so far", number: true, text: (member) => rolling(member, "hit_rate", fineShare) },
  { head: "Error so far", number: true, text: (member) => rolling(member, "root_mean_squared_error", number) },
];
const DRIVERS = [
  { head: "Feature", text: (driver) => driver.feature.replaceAll("_", " ") },
  { head: "Importance", number: true, text: (driver) => number(driver.importance) },
];

/** Make the panel; `load()` reads it anew. */
export function reasonsPanel({ api }, ticker) {
  const inside = make("div", {}, "…");
  return {
    element: panel("Why", { wide: true }, inside),
    async load() {
      try {
        const [said, compared] = await Promise.all([
          api.post("/predict", { ticker, include_reasoning: true }),
          api.get(`/models/compare/${inPath(ticker)}`),
        ]);
        inside.replaceChildren(...contentOf(said.reasoning, compared.horizons));
        return true;
      } catch (error) {
        inside.replaceChildren(...paragraphs([`Not known now: ${error.message}`]));
        return !passes(error);
      }
    },
  };
}

function contentOf({ summary, drivers, cautions }, horizons) {
  return [
    ...paragraphs([summary]),
    ...cautions.map((caution) => make("p", { class: "warn" }, `⚠ ${caution}`)),
    ...horizons.map(({ horizon, members }) =>
      dataTable(`Members, ${horizon === 1 ? "next bar" : `${horizon} bars`}`, MEMBERS, members),
    ),
    drivers.length > 0
      ? dataTable("What the models rest on most, by how much worse they got without it in their test", DRIVERS, drivers)
      : null,
  ].filter(Boolean);
}
