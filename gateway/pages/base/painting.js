// One repaint a frame, however much has changed. A page that nobody sees paints nothing.

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

/** Let an element light up for a moment, where motion is welcome. */
export function flash(element) {
  if (still.matches) return;
  element.animate([{ background: "var(--fresh)" }, { background: "transparent" }], {
    duration: 900,
    easing: "ease-out",
  });
}
