// Over how many bars a panel looks ahead.

import { make } from "../base/elements.js";
import { bars } from "../base/format.js";

/** A choice of a prediction's horizons; `value` is null before any is known. */
export class HorizonChoice {
  value = null;
  element;

  constructor(changed) {
    const choose = () => {
      this.value = Number(this.element.value);
      changed();
    };
    this.element = make("select", { "aria-label": "Horizon", onchange: choose });
  }

  /** Offer a prediction's horizons. */
  offer(horizons) {
    if (this.element.options.length === horizons.length) return;
    this.element.replaceChildren(...horizons.map(({ horizon }) => make("option", { value: horizon }, bars(horizon))));
    this.value ??= horizons[0].horizon;
    this.element.value = this.value;
  }
}
