// Elements, days and words that several pages make. Texts go in as texts, so nothing in a record can become markup.

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

// An element with its attributes and children; what is null, undefined or false is left out.
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// A link where the address is one of the web, else the text alone.
export function link(address, ...children) {
  return /^https?:\/\//.test(address ?? "")
    ? el("a", { href: address, rel: "noreferrer" }, ...children)
    : el("span", {}, ...children);
}

// 2026-11-22 as 22 November 2026; anything else as it is.
export function day(text) {
  const parts = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text ?? "");
  return parts ? `${Number(parts[3])} ${MONTHS[Number(parts[2]) - 1]} ${parts[1]}` : text || "not stated";
}

export function days(earliest, latest) {
  return earliest === latest ? day(earliest) : `${day(earliest)} to ${day(latest)}`;
}

export const yes = (value) => (value === true ? "yes" : value === false ? "no" : "unknown");

export const plain = (code) => (code ?? "").replaceAll("_", " ");

// A table: caption, heads, rows of cells whose first is the row's name.
export function table(caption, heads, rows, attributes = {}) {
  return el(
    "div",
    { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    el(
      "table",
      attributes,
      el("caption", {}, caption),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heads.map((head) => el("th", { scope: "col" }, head)),
        ),
      ),
      el(
        "tbody",
        {},
        rows.map((cells) =>
          el(
            "tr",
            {},
            cells.map((cell, at) => (at ? el("td", {}, cell) : el("th", { scope: "row" }, cell))),
          ),
        ),
      ),
    ),
  );
}

// A text to take along: read-only, with a button that copies it.
export function pasteable(id, label, text) {
  const field = el("textarea", {
    id,
    readonly: true,
    rows: String(Math.min(16, text.split("\n").length + 1)),
    spellcheck: "false",
  });
  field.value = text;
  const told = el("span", { role: "status" });
  const button = el("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(text);
      told.textContent = " Copied.";
    } catch {
      told.textContent = " Selected: copy it with your keyboard.";
    }
  });
  return [el("label", { for: id }, label), field, el("p", {}, button, told)];
}

const given = document.getElementById("words");

// What the page was given: JSON, and the way back to the site. Nothing on a page that was given none.
export const words = given ? { ...JSON.parse(given.textContent), root: given.dataset.root } : {};

// The address of a file of the site.
export const address = (path) => new URL(words.root + path, document.baseURI);
