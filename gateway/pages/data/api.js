// The REST API, with the credentials of the session.

import { Problem } from "./problem.js";
import { NOT_NOW, RENEWED } from "./session.js";

const PREFIX = "/api/v1";

/** Asks the gateway; who has to log in first is asked to. */
export class Api {
  #session;

  constructor(session) {
    this.#session = session;
  }

  /** Get a document; throws a `Problem`, or a `TypeError` where nothing answers. */
  async get(path) {
    return (await this.#ask(path, {})).json();
  }

  /** Get text of a media type. */
  async getText(path, mediaType) {
    return (await this.#ask(path, { headers: { Accept: mediaType } })).text();
  }

  /** Post a document, and get one. */
  async post(path, body) {
    const headers = { "Content-Type": "application/json" };
    return (await this.#ask(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
  }

  async #ask(path, options) {
    await this.#session.settled;
    if (this.#session.wanting) throw new Problem(401, { detail: "log in first" });
    let answer = await this.#send(path, options);
    if (answer.status === 401) {
      const renewal = await this.#session.renew();
      if (renewal === NOT_NOW) throw new Problem(503, { detail: "who you are cannot be told now" });
      if (renewal === RENEWED) answer = await this.#send(path, options);
    }
    if (answer.status === 401) this.#session.want();
    if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
    return answer;
  }

  #send(path, options) {
    const headers = { ...options.headers, ...this.#session.headers() };
    return fetch(PREFIX + path, { ...options, headers, credentials: "same-origin" });
  }
}

/** Give the part of a path that names a ticker. */
export const inPath = (ticker) => encodeURIComponent(ticker);
