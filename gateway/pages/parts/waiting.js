// Why there is nothing to show yet. Pure.

/** Say why; null where the gateway has said all it has. */
export function waitingWords(market, session) {
  if (session.wanting) return "Log in to see what is predicted.";
  return market.known ? null : "Waiting for the gateway…";
}
