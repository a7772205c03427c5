// The page for a list: which trials the pasted numbers mean, whether those have results, and which trials of a condition
// have none and are not on the list. Nothing of the list leaves the browser but the names of shards.

import { address, day, el, plain, table, words } from "./dom.js";
import { read, shelf } from "./shards.js";
import { shardOf } from "./spelling.js";

const AT_ONCE = 6;
const numbers = shelf(address(words.numbers_at), words.shards, words.spelling);
const answer = document.getElementById("answer");
const told = document.getElementById("told");
const field = (id) => document.getElementById(id).value.trim();

const RESULTS = {
  found: "results found",
  none_found: "no results found in the sources searched",
  cannot_judge: "cannot be judged",
};

// The numbers of a pasted text: between commas and line ends, as a whole where that is one number, else word by word.
function pieces(text) {
  const found = new Map();
  for (const cell of text.split(/[\n;\t,]+/)) {
    const whole = cell.trim();
    const isOne = numbers.canonical(whole) || /^(pmid|pmcid|doi)\b/i.test(whole);
    const parts = isOne ? [whole] : whole.split(/\s+/);
    for (const part of parts.filter(Boolean)) found.set(numbers.key(part), part);
  }
  return [...found.values()];
}

// As many at a time as a browser asks of one server.
async function each(list, work) {
  const made = new Array(list.length);
  let next = 0;
  const worker = async () => {
    while (next < list.length) {
      const at = next;
      next += 1;
      made[at] = await work(list[at]);
      told.textContent = `${made.filter((one) => one !== undefined).length} of ${list.length} looked up …`;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return made;
}

async function included(text) {
  const found = await numbers.find(text);
  const trials = await Promise.all(found.ids.map(async (id) => ({ id, ...(await numbers.trial(id)) })));
  return { text, trials };
}

const trialLink = (id) => el("a", { href: `${words.root}find/?id=${encodeURIComponent(id)}` }, id);

function includedTable(list) {
  const rows = list.flatMap(({ text, trials }) =>
    trials.length
      ? trials.map((one) => [text, trialLink(one.id), one.title ?? "", RESULTS[one.results]])
      : [[text, "no trial found by it", "", ""]],
  );
  return [
    el("h2", {}, "Your studies"),
    table("Your studies, and the trials that they report", ["As pasted", "Trial", "Title", "Results"], rows, {
      id: "included",
    }),
  ];
}

async function ofCondition(condition) {
  const key = numbers.key(condition);
  return (await read(new URL(`${shardOf(key, words.lists)}.json.gz`, address(words.lists_at))))[key];
}

function missingTable(found, condition, intervention, have) {
  const title = el("h2", {}, `Trials of ${found?.condition ?? condition} without results in the sources searched`);
  if (!found)
    return [title, el("p", {}, `No such trial is listed under ${condition}. Try its MeSH term, or another wording.`)];
  const wanted = intervention.toLowerCase();
  const left = found.trials.filter(
    ([id, , , , , , interventions]) =>
      !have.has(id) && (!wanted || interventions.some((one) => one.toLowerCase().includes(wanted))),
  );
  const sum = (kind) =>
    left
      .filter((one) => one[4] === kind)
      .reduce((total, one) => total + (one[3] ?? 0), 0)
      .toLocaleString("en");
  const rows = left.map(([id, name, sponsor, enrolment, kind, completed, interventions]) => [
    trialLink(id),
    name ?? "",
    interventions.join(", "),
    sponsor ?? "",
    enrolment === null
      ? "not stated"
      : `${enrolment.toLocaleString("en")} ${kind === "actual" ? "" : plain(kind) || "kind not stated"}`,
    day(completed),
  ]);
  const cut =
    found.total > found.trials.length
      ? ` Looked through were the ${found.trials.length} largest of ${found.total}; the release has all.`
      : "";
  return [
    title,
    el(
      "p",
      {},
      `${left.length} completed trials${intervention ? ` with ${intervention}` : ""} are not on your list: ${sum("actual")} participants, and ${sum("estimated")} more as planned.${cut} That nothing was found does not mean that nothing exists.`,
    ),
    table(
      "Trials that are not on your list",
      ["Trial", "Title", "Interventions", "Sponsor", "Participants", "Completed"],
      rows,
      { id: "left" },
    ),
  ];
}

async function compare() {
  const list = await each(pieces(field("pasted")), included);
  const have = new Set(list.flatMap(({ trials }) => trials.map((one) => one.id)));
  const condition = field("condition");
  const missing = condition ? missingTable(await ofCondition(condition), condition, field("intervention"), have) : [];
  answer.replaceChildren(...[list.length ? includedTable(list) : [], missing].flat());
  told.textContent = `${list.length} numbers looked up, ${have.size} trials found.`;
}

document.getElementById("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  compare().catch((error) => {
    told.textContent = `The comparison failed: ${error.message}`;
  });
});
