// Files for the person to keep.

import { make } from "../base/elements.js";

/** Save content under a name. */
export function save(name, content, mediaType) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: mediaType }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** Make the buttons that save a chart and its data; `picture()` gives a blob, or null where there is no chart. */
export function saveButtons(name, csv, picture) {
  const saved = (act) => async () => {
    try {
      await act();
    } catch {
      // the data cannot be had now: the banner says why
    }
  };
  const asCsv = make(
    "button",
    { type: "button", onclick: saved(async () => save(`${name}.csv`, await csv(), "text/csv")) },
    "CSV",
  );
  const asPng = make(
    "button",
    { type: "button", hidden: true, onclick: saved(async () => save(`${name}.png`, await picture())) },
    "PNG",
  );
  return { asCsv, asPng };
}
