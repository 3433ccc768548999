// One WebSocket to the gateway that comes back after every end, as `docs/api.md` says clients should.

import { noteTime } from "../base/clock.js";
import { REFUSED, RENEWED } from "./session.js";

const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 10000;
const SILENT_HEARTBEATS = 2.5;
const LAST_RECONNECTING_CODE = 4499;
const AUTH_REQUIRED = 4500;
/** Expired, required, failed, revoked: who looks at the page has to say who it is. */
const WHO_IS_IT = new Set([4002, AUTH_REQUIRED, 4501, 4503]);

/** What a line says of itself; or that it is `lost`, and why. */
const CONNECTING = { state: "connecting", text: "connecting…" };
const LIVE = { state: "live", text: "live" };

/**
 * Keeps a subscription. `subscription()` gives the message to subscribe with, at every connection anew; `heard(message)`
 * gets what the gateway says; `changed(condition)` how the line is.
 */
export class Line {
  #path;
  #session;
  #subscription;
  #heard;
  #changed;
  #socket = null;
  #retryMs = RETRY_FIRST_MS;
  #comeBackAfterMs = null; // as the gateway asked when it went
  #heartbeatSeconds = 15;
  #lastHeardMs = 0;
  #retry = null;
  #watch = null;
  #closed = false;
  #subscribed = false;
  #again = () => this.#reopen();

  constructor({ path, session, subscription, heard, changed = () => {} }) {
    this.#path = path;
    this.#session = session;
    this.#subscription = subscription;
    this.#heard = heard;
    this.#changed = changed;
  }

  open() {
    this.#session.addEventListener("change", this.#again);
    this.#watch = setInterval(() => this.#endWhereSilent(), 1000);
    this.#connect();
    return this;
  }

  close() {
    this.#closed = true;
    this.#session.removeEventListener("change", this.#again);
    clearInterval(this.#watch);
    this.#drop();
  }

  #drop() {
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = null; // what it still says is not heard
    if (socket?.readyState === WebSocket.CONNECTING)
      socket.onopen = () => socket.close(); // sooner is an error
    else socket?.close();
  }

  #reopen() {
    this.#drop();
    this.#retryMs = RETRY_FIRST_MS;
    this.#connect();
  }

  #connect() {
    this.#changed(CONNECTING);
    const opened = new WebSocket(new URL(this.#path, location.href.replace(/^http/, "ws")));
    this.#socket = opened;
    this.#subscribed = false;
    this.#lastHeardMs = Date.now();
    const ours = (act) => (event) => {
      if (this.#socket === opened) act(event);
    };
    opened.onopen = ours(() => this.#greet());
    opened.onmessage = ours((event) => this.#receive(JSON.parse(event.data)));
    opened.onclose = ours((event) => this.#lost(event.code, event.reason));
  }

  #greet() {
    this.#send(this.#session.greeting() ?? this.#subscription());
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #receive(message) {
    this.#lastHeardMs = Date.now();
    if (message.type === "welcome" || message.type === "heartbeat") noteTime(message.timestamp);
    if (message.type === "welcome") this.#heartbeatSeconds = message.heartbeat_seconds;
    if (message.type === "authenticated" && !this.#subscribed) this.#send(this.#subscription());
    if (message.type === "auth_expiring") this.#stay();
    if (message.type === "server_shutdown") this.#comeBackAfterMs = message.reconnect_after_ms;
    if (message.type === "subscribed") {
      this.#subscribed = true;
      this.#retryMs = RETRY_FIRST_MS;
      this.#changed(LIVE);
    }
    if (message.type === "error") this.#refused(message);
    this.#heard(message);
  }

  /** Say who we are by a new token, before the old one expires. */
  async #stay() {
    const socket = this.#socket;
    if ((await this.#session.renew()) === RENEWED && this.#socket === socket) this.#send(this.#session.greeting());
  }

  #refused(message) {
    if (message.code === "auth_required") this.#end(AUTH_REQUIRED, message.message);
    else this.#changed({ state: "lost", text: message.message });
  }

  #end(code, reason) {
    this.#drop();
    this.#lost(code, reason);
  }

  async #lost(code, reason) {
    this.#socket = null;
    if (WHO_IS_IT.has(code)) {
      const renewal = await this.#session.renew();
      if (this.#closed || this.#socket !== null) return undefined;
      if (renewal === RENEWED) return this.#reopen();
      if (renewal === REFUSED) return this.#leave();
    } else if (code > LAST_RECONNECTING_CODE)
      return this.#changed({ state: "lost", text: reason || "the gateway refuses this page" });
    return this.#tryLater();
  }

  #tryLater() {
    const waitMs = this.#comeBackAfterMs ?? this.#retryMs * (0.5 + Math.random() / 2);
    this.#comeBackAfterMs = null;
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_LAST_MS);
    this.#changed({ state: "lost", text: "connection lost, trying again…" });
    this.#retry = setTimeout(() => this.#connect(), waitMs);
  }

  #leave() {
    this.#session.want();
    this.#changed({ state: "lost", text: "not logged in" });
  }

  #endWhereSilent() {
    const silentMs = Date.now() - this.#lastHeardMs;
    // Its own close may come late, or never: it is not waited for.
    if (this.#socket !== null && silentMs > 1000 * SILENT_HEARTBEATS * this.#heartbeatSeconds) this.#end(0, "");
  }
}
