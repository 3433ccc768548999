// Numbers and times, as people read them.

/** What stands where a number is not known. */
export const NOTHING = "–";
const MINUS = "−"; // as wide as a plus, and never at the end of a line
const numbers = (options) => {
  const format = new Intl.NumberFormat("en", options);
  return (value) => (Number.isFinite(value) ? format.format(value).replace("-", MINUS) : NOTHING);
};
const digits = (count) => ({ minimumFractionDigits: count, maximumFractionDigits: count });

const coarsePrice = numbers(digits(2));
const finePrice = numbers({ minimumSignificantDigits: 4, maximumSignificantDigits: 4 });

export const price = (value) => (Math.abs(value) < 1 && value !== 0 ? finePrice(value) : coarsePrice(value));
export const change = numbers({ style: "percent", signDisplay: "exceptZero", ...digits(2) });
export const share = numbers({ style: "percent", maximumFractionDigits: 0 });
export const fineShare = numbers({ style: "percent", ...digits(1) });
export const count = numbers({ maximumFractionDigits: 0 });
export const number = numbers({ maximumSignificantDigits: 4 });
/** For what is looked at while it changes. */
export const roughly = numbers({ maximumSignificantDigits: 3 });

export const bytes = (value) => (Number.isFinite(value) ? `${count(value / 1e6)} MB` : NOTHING);

/** Give a short time in the unit that suits it. */
export function seconds(value) {
  if (!Number.isFinite(value)) return NOTHING;
  if (value < 1) return `${roughly(value * 1000)} ms`;
  return value < 60 ? `${roughly(value)} s` : age(value);
}

/** Give how long ago something was. */
export function age(value) {
  if (!Number.isFinite(value)) return NOTHING;
  const past = Math.max(0, value);
  if (past < 60) return `${Math.round(past)} s`;
  if (past < 3600) return `${Math.round(past / 60)} min`;
  if (past < 172800) return `${Math.round(past / 3600)} h`;
  return `${Math.round(past / 86400)} d`;
}

/** Give a time of the API (RFC 3339, UTC) to the minute; midnights are days. */
export function time(text) {
  if (!text) return NOTHING;
  return text.slice(11, 19) === "00:00:00" ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ");
}

const ARROWS = { bullish: "▲", bearish: "▼", neutral: "■" };
export const arrow = (direction) => ARROWS[direction] ?? "";

export const bars = (horizon) => (horizon === 1 ? "next bar" : `${horizon} bars`);
const signed = numbers({ signDisplay: "exceptZero", ...digits(1) });
/** Give a difference of two shares in points. */
export const points = (value) => signed(100 * value);
export const percentPoints = (value) => change(value / 100);
