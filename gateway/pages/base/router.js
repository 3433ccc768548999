// Which view is shown, by the part of the address after `#`.

/** Read an address like `#/ticker/AAPL`. */
export function readPlace(hash) {
  const [name = "", argument = ""] = hash.replace(/^#\/?/, "").split("/");
  try {
    return { name: name || "watch", argument: decodeURIComponent(argument) };
  } catch {
    return { name: "", argument: "" };
  }
}

/** Give the address of a ticker's view. */
export const tickerPlace = (ticker) => `#/ticker/${encodeURIComponent(ticker)}`;

/**
 * Show the view of each address in `main`. A view is a function of its argument that gives `{title, element, close}`;
 * `unknown` is that of every other address. `opened` is called with the place, so that the shell can follow. Gives
 * what shows it anew.
 */
export function startRouter(main, views, opened) {
  let current = null;

  function show({ moved }) {
    const place = readPlace(location.hash);
    const view = Object.hasOwn(views, place.name) ? views[place.name] : views.unknown;
    current?.close();
    current = view(place.argument);
    main.replaceChildren(current.element);
    document.title = `${current.title}: Tickcast`;
    opened(place);
    if (moved) main.focus();
    scrollTo(0, 0);
  }

  addEventListener("hashchange", () => show({ moved: true }));
  show({ moved: false });
  return () => show({ moved: false });
}
