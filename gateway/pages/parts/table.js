// Tables of data, and the same data as CSV. A column is `{head, text(row)}`, and where that says more
// `value(row)` for CSV, `number: true` or a `style`.

import { make, say } from "../base/elements.js";

/** Make a table with its caption; it can be scrolled by keyboard. */
export function dataTable(caption, columns, rows = []) {
  const head = columns.map((column) => make("th", { scope: "col", class: styleOf(column) }, column.head));
  const table = make(
    "table",
    {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, head)),
    make("tbody", {}),
  );
  const element = make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, table);
  fillTable(element, columns, rows);
  return element;
}

/** Write rows into a table that `dataTable` made; what stays in its place keeps its element, and so the focus. */
export function fillTable(element, columns, rows) {
  const body = element.querySelector("tbody");
  while (body.rows.length > rows.length) body.lastChild.remove();
  while (body.rows.length < rows.length) body.append(emptyRow(columns));
  rows.forEach((row, index) => {
    const { cells } = body.rows[index];
    columns.forEach((column, place) => say(cells[place], column.text(row)));
  });
}

function emptyRow(columns) {
  return make(
    "tr",
    {},
    columns.map((column, index) =>
      make(index === 0 ? "th" : "td", { class: styleOf(column), scope: index === 0 ? "row" : null }),
    ),
  );
}

const styleOf = (column) => column.style ?? (column.number ? "number" : null);

/** Make the table behind a chart; `columns()` and `rows()` are asked for when it is opened, and again by `renew`. */
export function tableBehind(caption, columns, rows) {
  let heads = "";
  let table = dataTable(caption, []);
  const renew = () => {
    if (!details.open) return;
    const wanted = columns();
    const now = wanted.map((column) => column.head).join();
    if (now !== heads) {
      const fresh = dataTable(caption, wanted);
      table.replaceWith(fresh);
      [heads, table] = [now, fresh];
    }
    fillTable(table, wanted, rows());
  };
  const details = make("details", { ontoggle: renew }, make("summary", {}, "Data table"), table);
  return { details, renew };
}

/** Give the rows as CSV; a text that a spreadsheet would take for a formula gets an apostrophe before it. */
export function csvOf(columns, rows) {
  const lines = rows.map((row) => columns.map((column) => csvCell((column.value ?? column.text)(row))));
  return [columns.map((column) => csvCell(column.head)), ...lines].map((cells) => `${cells.join(",")}\r\n`).join("");
}

function csvCell(value) {
  if (typeof value === "number") return String(value);
  const text = String(value ?? "").replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
