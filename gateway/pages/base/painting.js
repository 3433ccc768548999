// One repaint a frame, however much has changed. A page that nobody sees paints nothing.

const FLASH_MS = 450; // less than the time between two updates of the page's pace
const waiting = new Set();

function paint() {
  const due = [...waiting];
  waiting.clear();
  for (const draw of due) draw();
}

/** Draw in the next frame, once. */
export function paintSoon(draw) {
  if (waiting.size === 0) requestAnimationFrame(paint);
  waiting.add(draw);
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

/** Let an element light up for a moment in a colour of the style sheet, where motion is welcome. */
export function flash(element, colour) {
  if (still.matches) return;
  element.animate([{ background: `var(--${colour})` }, { background: "transparent" }], {
    duration: FLASH_MS,
    easing: "ease-out",
  });
}
