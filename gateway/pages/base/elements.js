// Elements of the page. Data becomes text or an attribute, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element. `on…` attributes are listeners, `true` an attribute without a value; null and false are left out. */
export function make(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

/** Make an element of SVG. */
export function makeSvg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Set an element's text where it is another one: the browser lays out only what has changed. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
