// Puts the page together.

import { startTheme } from "./base/theme.js";
import { startRouter } from "./base/router.js";
import { Api } from "./data/api.js";
import { Condition } from "./data/condition.js";
import { Market } from "./data/market.js";
import { Session } from "./data/session.js";
import { startAccount } from "./parts/account.js";
import { startBanner } from "./parts/banner.js";
import { startConnection } from "./parts/connection.js";
import { modelsView } from "./views/models.js";
import { systemView } from "./views/system.js";
import { tickerView } from "./views/ticker.js";
import { unknownView } from "./views/unknown.js";
import { watchView } from "./views/watch.js";

const byId = (id) => document.getElementById(id);

const session = new Session();
const market = new Market();
const condition = new Condition(market, session);
const context = { api: new Api(session), condition, market, session };

startTheme(byId("theme"));
startAccount(byId("account"), session);
startBanner(byId("banner"), condition);
const connection = startConnection(byId("connection"), byId("age"), market);
condition.start();
market.follow(session, connection.changed, connection.heartbeat);

const main = byId("main");
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part after # names the view
  main.focus();
});

const bound = (view) => (argument) => view(context, argument);
const views = {
  watch: bound(watchView),
  ticker: (argument) => (argument === "" ? unknownView() : tickerView(context, argument)),
  models: bound(modelsView),
  system: bound(systemView),
  unknown: unknownView,
};
const showAgain = startRouter(main, views, ({ name }) => {
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
});
session.addEventListener("change", () => {
  market.clear();
  showAgain();
});
