// SQL in the browser: DuckDB, shipped with the page, reads parts of the marts file that lies beside it.

import { address, el, table, words } from "./dom.js";

const ROWS = 500;
const sql = document.getElementById("sql");
const question = document.getElementById("question");
const button = document.getElementById("run");
const told = document.getElementById("told");
const answer = document.getElementById("answer");
let connected = null;

async function connect() {
  const engine = await import(address("static/engine/duckdb.js"));
  const worker = new Worker(address("static/engine/duckdb-browser-eh.worker.js"));
  const database = new engine.AsyncDuckDB(new engine.VoidLogger(), worker);
  await database.instantiate(address("static/engine/duckdb-eh.wasm").href);
  // In parts; the whole file, which is small, only where a server cannot give parts.
  await database.open({
    filesystem: { reliableHeadRequests: true, allowFullHTTPReads: true, forceFullHTTPReads: false },
  });
  const file = address(`explore/${words.marts}`).href;
  await database.registerFileURL("marts.duckdb", file, engine.DuckDBDataProtocol.HTTP, false);
  const connection = await database.connect();
  // What is missing is never fetched from elsewhere.
  await connection.query("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false");
  await connection.query("ATTACH 'marts.duckdb' AS marts (READ_ONLY)");
  await connection.query("USE marts");
  button.textContent = "Run";
  return connection;
}

function shown(value, type) {
  if (value === null || value === undefined) return "";
  if (/^Date/.test(type)) return new Date(Number(value)).toISOString().slice(0, 10);
  if (/^Timestamp/.test(type)) return new Date(Number(value)).toISOString();
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(12)));
  return String(value);
}

function show(result) {
  const fields = result.schema.fields.map((one) => ({ name: one.name, type: String(one.type) }));
  const rows = result
    .toArray()
    .slice(0, ROWS)
    .map((row) => {
      const values = row.toJSON();
      return fields.map(({ name, type }) => shown(values[name], type));
    });
  const cut =
    result.numRows > ROWS
      ? `The first ${ROWS} of ${result.numRows.toLocaleString("en")} rows`
      : `${result.numRows.toLocaleString("en")} row(s)`;
  answer.replaceChildren(
    fields.length
      ? table(
          cut,
          fields.map((one) => one.name),
          rows,
          { id: "result" },
        )
      : el("p", {}, "Done."),
  );
  told.textContent = `Done: ${cut}.`;
}

async function run() {
  const text = sql.value.trim();
  if (!text) return;
  history.replaceState(null, "", `#q=${encodeURIComponent(text)}`);
  button.disabled = true;
  told.textContent = connected ? "Running …" : "Loading the engine …";
  try {
    connected ??= connect();
    const connection = await connected.catch((error) => {
      connected = null;
      throw error;
    });
    show(await connection.query(text));
  } catch (error) {
    answer.replaceChildren(el("pre", { class: "note" }, error.message));
    told.textContent = "The question failed; what the engine says stands below.";
  } finally {
    button.disabled = false;
  }
}

function pick() {
  const chosen = words.questions[Number(question.value)];
  if (question.value === "" || !chosen) return;
  sql.value = chosen.sql;
  document.getElementById("pitfalls").textContent = chosen.pitfalls;
}

const asked = new URLSearchParams(location.hash.slice(1)).get("q");
if (asked) sql.value = asked;
question.addEventListener("change", pick);
sql.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
document.getElementById("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
