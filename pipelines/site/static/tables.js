"use strict";
// Tables that can be sorted and filtered, and the search for sponsors. Without this file everything is still there to
// read: long lists have their pages.
(() => {
  const said = document.createElement("p");
  said.className = "vh";
  said.setAttribute("role", "status");
  document.body.append(said);

  const value = (cell) => {
    const held = cell.querySelector("[value], time[datetime]");
    const text = held ? held.getAttribute("value") ?? held.getAttribute("datetime") : cell.textContent.trim();
    if (text === "" || text === "–") return null;
    const share = cell.querySelector("[data-denominator]");
    if (share) return Number(share.dataset.denominator) ? share.dataset.numerator / share.dataset.denominator : null;
    return held && held.hasAttribute("value") ? Number(text) : text.toLocaleLowerCase();
  };
  const order = (a, b) => (a === b ? 0 : a === null ? 1 : b === null ? -1 : typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en"));
  const number = (n) => n.toLocaleString("en-GB");
  const percent = (n, d) => {  // as the pages write it: nothing but all is 100 %, nothing but none is 0 %
    if (!d) return "–";
    const p = (100 * n) / d, places = d < 1000 ? 0 : 1, least = 10 ** -places;
    if (p > 0 && p < least) return `under ${least.toFixed(places)} %`;
    if (p > 100 - least && p < 100) return `over ${(100 - least).toFixed(places)} %`;
    return `${p.toFixed(places)} %`;
  };
  const element = (name, text, kind) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  };

  // One row of the table of sponsors from what a file says: folder, name, class, due, reported, overdue, not judged.
  const sponsorRow = (link, [slug, name, kind, due, reported, missing, unjudged]) => {
    const row = element("tr"), head = element("th"), a = element("a", name);
    head.scope = "row";
    a.href = `${link}${slug}/`;
    head.append(a);
    row.append(head, element("td", kind));
    const add = (shown, held, share) => {
      const cell = element("td", undefined, "n"), data = element("data");
      data.setAttribute("value", held);
      if (share) Object.assign(data.dataset, { numerator: share[0], denominator: share[1] });
      data.append(...shown);
      cell.append(data);
      row.append(cell);
    };
    add([number(due)], due);
    add([number(reported)], reported);
    add([element("b", percent(reported, due)), " ", element("span", `${number(reported)} of ${number(due)}`, "of")], reported, [reported, due]);
    add([number(missing)], missing);
    add([number(unjudged)], unjudged);
    return row;
  };

  const whole = async (table) => {
    const parts = Number(table.dataset.parts || 0);
    if (!parts || table.dataset.whole) return;
    table.dataset.whole = "yes";
    said.textContent = "Fetching the whole table";
    const files = await Promise.all(Array.from({ length: parts }, (_, i) => fetch(`table-${i + 1}.json`).then((r) => {
      if (!r.ok) throw new Error(`table-${i + 1}.json: ${r.status}`);
      return r.json();
    })));
    table.tBodies[0].replaceChildren(...files.flat().map((entry) => sponsorRow(table.dataset.link, entry)));
  };

  const sort = async (table, index, button) => {
    const head = button.closest("th");
    try {
      await whole(table);
    } catch (error) {
      delete table.dataset.whole;
      said.textContent = `The whole table could not be fetched (${error.message}); only these rows are sorted.`;
    }
    const isNumber = head.classList.contains("n");
    const was = head.getAttribute("aria-sort");
    const now = was ? (was === "ascending" ? "descending" : "ascending") : isNumber ? "descending" : "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", now);
    const way = now === "ascending" ? 1 : -1;
    const rows = [...table.tBodies[0].rows].map((row, place) => [value(row.cells[index]), place, row]);
    rows.sort((a, b) => (a[0] === null || b[0] === null ? order(a[0], b[0]) : way * order(a[0], b[0])) || a[1] - b[1]);
    table.tBodies[0].append(...rows.map((r) => r[2]));
    said.textContent = `Sorted by ${button.textContent}, ${now}`;
  };

  const filter = (table) => {
    const label = element("label", `${table.dataset.filter}: `, "filter"), input = element("input");
    input.type = "search";
    label.append(input);
    table.closest(".scroll").before(label);
    input.addEventListener("input", () => {
      const words = input.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        const text = row.textContent.toLocaleLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += !row.hidden;
      }
      said.textContent = `${number(shown)} rows`;
    });
  };

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    [...table.tHead.rows[0].cells].forEach((cell, index) => {
      const button = element("button", cell.textContent);
      button.type = "button";
      button.addEventListener("click", () => sort(table, index, button));
      cell.replaceChildren(button);
    });
    if (table.dataset.filter) filter(table);
  }

  // Search by the beginnings of words: `index.json` names the beginnings that have a file, the longest that fits is read.
  const form = document.getElementById("sponsor-search");
  if (!form) return;
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  const input = form.querySelector("input"), list = document.getElementById("found"), told = document.getElementById("search-said");
  const files = new Map();
  const read = (name) => {
    if (!files.has(name)) files.set(name, fetch(`${form.dataset.search}${name}.json`).then((r) => (r.ok ? r.json() : Promise.reject(new Error(String(r.status))))));
    return files.get(name);
  };
  const hex = (text) => [...new TextEncoder().encode(text)].map((b) => b.toString(16).padStart(2, "0")).join("");
  const wordsOf = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];
  const beginning = (index, word) => {
    const signs = [...word];
    for (let n = signs.length; n; n--) if (signs.slice(0, n).join("") in index) return signs.slice(0, n).join("");
    return null;
  };
  let asked = 0;
  input.addEventListener("input", async () => {
    const mine = ++asked, words = wordsOf(input.value);
    if (!words.length) { list.replaceChildren(); told.textContent = ""; return; }
    try {
      const index = await read("index");
      const starts = words.map((word) => beginning(index, word));
      if (starts.includes(null)) { if (mine === asked) { list.replaceChildren(); told.textContent = "No sponsor of that name leads a trial in the sources searched."; } return; }
      // The file that tells most: a whole one before a cut one, a long beginning before a short one.
      const start = starts.sort((a, b) => index[a] - index[b] || b.length - a.length)[0];
      const entries = await read(hex(start));
      if (mine !== asked) return;
      const hits = entries.filter(([, name]) => { const own = wordsOf(name); return words.every((word) => own.some((o) => o.startsWith(word))); });
      list.replaceChildren(...hits.slice(0, 50).map(([slug, name, , due, reported]) => {
        const item = element("li"), a = element("a", name);
        a.href = `${form.dataset.sponsors}${slug}/`;
        item.append(a, ` ${number(reported)} of ${number(due)} due results reported`);
        return item;
      }));
      const more = index[start] ? " Only the largest are searched for so short or so common a word: add another." : "";
      told.textContent = `${number(hits.length)} found${hits.length > 50 ? ", the first 50 shown" : ""}.${more}`;
    } catch (error) {
      told.textContent = `The search could not be read (${error.message}).`;
    }
  });
})();
