// Who looks at the page. Credentials are in memory alone; the refresh token is a cookie that no script can read.

import { keep, recall } from "../base/storage.js";
import { passes } from "./problem.js";

/** Remembered: whether there may be such a cookie. The gateway is not asked for what it would refuse. */
const HAS_COOKIE = "session";
const REFUSALS = new Set([400, 401, 403]);

/** What came of asking for a new access token. */
export const RENEWED = "renewed";
export const REFUSED = "refused";
export const NOT_NOW = "not now"; // nobody could say: what is known may still be good

/**
 * Holds an API key or an access token. Says `wanted` when one is needed, `known` when there is one, and `change` when a
 * person has given or taken it: what was asked for before has to be asked for again.
 */
export class Session extends EventTarget {
  /** Whether the gateway wants to know who it is, and nothing is known that it would take. */
  wanting = false;
  /** Kept once it is known whether the gateway wants that: nothing is asked for that it would refuse. */
  settled = new Promise((settle) => {
    this.settle = settle;
  });
  #key = null;
  #token = null;
  #renewing = null;

  /** Give the headers of a request. */
  headers() {
    if (this.#key) return { "X-API-Key": this.#key };
    return this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
  }

  /** Give the first message on a WebSocket; null where there is nothing to say. */
  greeting() {
    if (this.#key) return { action: "auth", key: this.#key };
    return this.#token ? { action: "auth", token: this.#token } : null;
  }

  get known() {
    return this.#key !== null || this.#token !== null;
  }

  /** Ask the person who it is, once. */
  want() {
    if (this.wanting) return;
    this.wanting = true;
    this.dispatchEvent(new Event("wanted"));
  }

  /** Take an API key; throws what the gateway says against it. */
  async useKey(key) {
    const answer = await fetch("/api/v1/warmup/status", { headers: { "X-API-Key": key } });
    if (!answer.ok) throw new Error(await whyNot(answer));
    this.#key = key;
    this.#token = null;
    this.wanting = false;
    this.#tell();
  }

  /** Log in; throws what the gateway says against it. */
  async logIn(username, password) {
    const answer = await post("token", { username, password, cookie: true });
    if (!answer.ok) throw new Error(await whyNot(answer));
    await this.#take(answer);
    this.#tell();
  }

  /** Get a new access token by the cookie, once however many ask; tells what came of it. */
  renew() {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /** Log out: the gateway forgets the cookie, the page the rest. */
  async logOut() {
    const [token, headers] = [this.#token, this.headers()];
    this.#key = this.#token = null;
    this.wanting = true;
    keep(HAS_COOKIE, false);
    this.#tell();
    if (token) await post("revoke", undefined, headers).catch(() => null);
  }

  async #renew() {
    if (this.#key !== null) return this.#refuse(); // it was refused as it is
    if (!recall(HAS_COOKIE, false)) return this.#refuse();
    const answer = await oneTabAtATime(() => post("refresh")).catch(() => ({}));
    if (passes(answer)) return NOT_NOW;
    if (!answer.ok) {
      if (REFUSALS.has(answer.status)) keep(HAS_COOKIE, false);
      return this.#refuse();
    }
    await this.#take(answer);
    return RENEWED;
  }

  #refuse() {
    this.#key = this.#token = null;
    return REFUSED;
  }

  async #take(answer) {
    this.#token = (await answer.json()).access_token;
    this.#key = null;
    this.wanting = false;
    keep(HAS_COOKIE, true);
    this.dispatchEvent(new Event("known"));
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

function post(what, body, headers = {}) {
  return fetch(`/api/v1/auth/${what}`, {
    method: "POST",
    credentials: "same-origin",
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

/** A refresh token is good for once, and all tabs have the same cookie. */
function oneTabAtATime(act) {
  return navigator.locks ? navigator.locks.request("tickcast.refresh", act) : act();
}

async function whyNot(answer) {
  if (answer.status === 404) return "this gateway has no log-in: use an API key";
  const problem = await answer.json().catch(() => ({}));
  return problem.detail ?? `the gateway answered ${answer.status}`;
}
