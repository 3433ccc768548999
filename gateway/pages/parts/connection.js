// Whether what is shown is live, and how old it is where it is not.

import { say } from "../base/elements.js";
import { secondsSince } from "../base/clock.js";
import { age } from "../base/format.js";

const QUIET_SECONDS = 60;

/** Keep the line on the connection: `changed` takes a state of the line, `heartbeat` a message. */
export function startConnection(status, ageText, market) {
  let state = "connecting";
  let upstream = null; // {atMs, seconds} of the newest record, as the gateway last said

  const upstreamSeconds = () => (upstream ? upstream.seconds + (Date.now() - upstream.atMs) / 1000 : null);

  function showAge() {
    if (state === "live") {
      const seconds = upstreamSeconds();
      say(ageText, seconds > QUIET_SECONDS ? `· nothing new for ${age(seconds)}` : "");
    } else {
      const newest = newestUpdate(market);
      say(ageText, newest ? `· what you see is ${age(secondsSince(newest))} old` : "");
    }
  }

  market.listen((ticker) => {
    if (ticker !== null) upstream = { atMs: Date.now(), seconds: 0 };
  });
  setInterval(showAge, 1000);
  return {
    changed(condition) {
      state = condition.state;
      status.dataset.state = state;
      say(status, condition.text);
      showAge();
    },
    heartbeat(message) {
      const seconds = message.upstream_age_seconds;
      upstream = seconds === null ? null : { atMs: Date.now(), seconds };
    },
  };
}

function newestUpdate(market) {
  let newest = "";
  for (const { updated_at: updated } of market.latest.values()) if (updated > newest) newest = updated;
  return newest;
}
