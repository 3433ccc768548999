// What the page remembers in this browser. Where it may not, it forgets.

const PREFIX = "tickcast.";

/** Read what was kept, or the fallback. */
export function recall(name, fallback) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? fallback;
  } catch {
    return fallback;
  }
}

/** Keep a value. */
export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // private windows: it lasts as long as the page
  }
}
