// Light or dark: as the system has it, or as the switch says.

import { keep, recall } from "./storage.js";

const CHOICES = ["auto", "light", "dark"];
const listeners = new Set();
let chosen = CHOICES.includes(recall("theme", "auto")) ? recall("theme", "auto") : "auto";

/** Put the theme on the page, and let a button go through the choices. */
export function startTheme(button) {
  const show = () => {
    document.documentElement.dataset.theme = chosen;
    button.textContent = `Theme: ${chosen}`;
    for (const listener of listeners) listener();
  };
  button.addEventListener("click", () => {
    chosen = CHOICES[(CHOICES.indexOf(chosen) + 1) % CHOICES.length];
    keep("theme", chosen);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}

/** Hear when colours change; gives what ends it. */
export function onTheme(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Give colours of the style sheet as a canvas can use them, by their names without dashes. */
export function colours(...names) {
  const probe = document.createElement("span");
  document.body.append(probe);
  const found = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(found);
}
