// The live table: one WebSocket, every ticker, one repaint a frame however many updates come.
"use strict";

const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 10000;
const ARROWS = { bullish: "▲", bearish: "▼", neutral: "■" };
const COLUMNS = ["price", "target", "change", "direction", "confidence", "as of", "age", "remarks"];
const NUMBERS = new Set(["price", "target", "change", "confidence", "age"]);

const body = document.getElementById("rows");
const empty = document.getElementById("empty");
const connection = document.getElementById("connection");

const latest = new Map(); // ticker -> prediction
const rows = new Map(); // ticker -> {row, cells}
const changed = new Set();
let clockSkewMs = 0; // the gateway's clock less this one's
let heartbeatSeconds = 15;
let lastHeardMs = 0;
let retryMs = RETRY_FIRST_MS;
let comeBackAfterMs = null; // as the gateway asked when it went
let socket = null;

const price = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const percent = new Intl.NumberFormat("en", {
  style: "percent", minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero",
});
const share = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 0 });

function say(state, text) {
  if (connection.textContent === text) return;
  connection.dataset.state = state;
  connection.textContent = text;
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(`${scheme}//${location.host}/ws/predictions`);
  socket = opened;
  lastHeardMs = Date.now();
  opened.onopen = () => opened.send(JSON.stringify({ action: "subscribe", tickers: ["*"] }));
  opened.onmessage = (event) => {
    if (socket === opened) receive(JSON.parse(event.data));
  };
  opened.onclose = (event) => {
    if (socket === opened) lost(event);
  };
}

function lost(event) {
  socket = null;
  if (event?.code >= 4500) {
    say("lost", event.reason || "the gateway does not want this page");
    return;
  }
  const wait = comeBackAfterMs ?? retryMs * (0.5 + Math.random() / 2);
  comeBackAfterMs = null;
  retryMs = Math.min(2 * retryMs, RETRY_LAST_MS);
  say("lost", "connection lost, trying again…");
  setTimeout(connect, wait);
}

function receive(message) {
  lastHeardMs = Date.now();
  if (message.timestamp && (message.type === "welcome" || message.type === "heartbeat")) {
    clockSkewMs = Date.parse(message.timestamp) - Date.now();
  }
  if (message.type === "welcome") heartbeatSeconds = message.heartbeat_seconds;
  else if (message.type === "subscribed") {
    forget();
    retryMs = RETRY_FIRST_MS;
    say("live", "live");
  } else if (message.type === "snapshot") message.predictions.forEach(keep);
  else if (message.type === "prediction") keep(message);
  else if (message.type === "server_shutdown") comeBackAfterMs = message.reconnect_after_ms;
  else if (message.type === "error") say("lost", message.message);
}

function forget() { // the snapshot that follows is everything; what it does not have is gone
  for (const known of [latest, rows, changed]) known.clear();
  body.replaceChildren();
}

function keep(prediction) {
  latest.set(prediction.ticker, prediction);
  if (changed.size === 0) requestAnimationFrame(paint);
  changed.add(prediction.ticker);
}

function paint() {
  for (const ticker of changed) {
    const known = rows.get(ticker) ?? addRow(ticker);
    fill(known, latest.get(ticker));
    known.row.classList.remove("changed");
    void known.row.offsetWidth; // lets the animation begin again
    known.row.classList.add("changed");
  }
  changed.clear();
  empty.hidden = rows.size > 0;
}

function addRow(ticker) {
  const row = document.createElement("tr");
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = ticker;
  row.append(head);
  const cells = new Map();
  for (const column of COLUMNS) {
    const cell = row.insertCell();
    if (NUMBERS.has(column)) cell.className = "number";
    cells.set(column, cell);
  }
  const after = [...rows.keys()].filter((other) => other > ticker).sort()[0];
  body.insertBefore(row, after === undefined ? null : rows.get(after).row);
  const known = { row, cells };
  rows.set(ticker, known);
  return known;
}

function fill({ cells }, prediction) {
  const shortest = prediction.prediction;
  const show = (column, text) => { cells.get(column).textContent = text; };
  show("price", price.format(prediction.current_price));
  show("target", price.format(shortest.price_target));
  show("change", percent.format(shortest.price_target / prediction.current_price - 1));
  show("direction", `${ARROWS[shortest.direction] ?? ""} ${shortest.direction}`);
  cells.get("direction").className = shortest.direction;
  show("confidence", share.format(shortest.confidence));
  show("as of", prediction.timestamp.slice(0, 19).replace("T", " "));
  show("age", ageText(prediction));
  show("remarks", remarks(prediction));
}

function remarks(prediction) {
  const said = [];
  if (prediction.degraded) said.push(`degraded: ${prediction.degraded}`);
  if (prediction.in_sample) said.push("in sample");
  if (prediction.partial) said.push("ticks were lost");
  if (prediction.origin !== "normal") said.push(prediction.origin.replace("_", " "));
  return said.join(", ");
}

function ageText(prediction) {
  const seconds = Math.max(0, (Date.now() + clockSkewMs - Date.parse(prediction.ingested_at)) / 1000);
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

setInterval(() => {
  for (const [ticker, { cells }] of rows) cells.get("age").textContent = ageText(latest.get(ticker));
  const silentMs = Date.now() - lastHeardMs;
  if (socket !== null && silentMs > 2500 * heartbeatSeconds) {
    socket.close(); // its onclose may come late, or never: do not wait for it
    lost();
  }
}, 1000);

connect();
