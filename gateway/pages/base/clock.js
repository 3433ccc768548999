// The gateway's clock, by what it last said.

let aheadMs = 0;

/** Take a time that the gateway has just said. */
export function noteTime(text) {
  aheadMs = Date.parse(text) - Date.now();
}

/** Give how many seconds ago a time of the API was, by the gateway's clock. */
export function secondsSince(text) {
  return (Date.now() + aheadMs - Date.parse(text)) / 1000;
}
