// The look-up page: one number in, one trial explained. What is said stands in the shard or in the words of the contracts.

import { address, day, days, el, link, pasteable, plain, table, words, yes } from "./dom.js";
import { shelf } from "./shards.js";

const MARKS = {
  "due, reported": "●",
  "due, submitted": "◐",
  "due, missing": "▲",
  "reported early": "◑",
  pending: "○",
  "cannot judge": "?",
  outside: "–",
};
const MISSING = "due, missing";

const numbers = shelf(address(words.numbers_at), words.shards, words.spelling);
const answer = document.getElementById("answer");
const told = document.getElementById("told");
const asked = new URLSearchParams(location.search);

const group = (status) => words.statuses[status].status_group;
const registry = (code) => words.registries[code] ?? code;

function status(code) {
  return el(
    "span",
    { class: "status" },
    el("span", { class: "mark", "aria-hidden": "true" }, MARKS[group(code)]),
    " ",
    plain(code),
  );
}

// --- the sentence first ---------------------------------------------------------------------------------------------

function sentence(trial) {
  const overdue = trial.verdicts.filter((verdict) => group(verdict.status) === MISSING);
  const first = {
    found: `Results found: ${trial.results_date ? `first at ${trial.results_at}, ${day(trial.results_date)}` : `at ${trial.results_at}, on an unknown day`}.`,
    none_found: `No results found in the sources searched as of ${day(words.as_of)}.`,
    cannot_judge: `Whether results are public cannot be judged: ${trial.not_searched?.join("; ") || "the record does not say"}.`,
  }[trial.results];
  const stage = {
    completed: "",
    not_completed: " By its record the trial has not completed, so results are not expected yet.",
    cannot_judge: " Whether the trial has completed cannot be told from its record.",
    outside: " It never began, or is no trial that results are asked of.",
  }[trial.completed];
  const late = overdue.map((verdict) =>
    el("li", {}, `Appears overdue under ${words.policies[verdict.policy].title}, because ${because(verdict)}.`),
  );
  return el(
    "div",
    { class: "sentence" },
    el("p", {}, el("b", {}, first), stage),
    late.length ? el("ul", {}, late) : null,
  );
}

function because(verdict) {
  return `results were due by ${days(verdict.due_earliest, verdict.due_latest)} and none were found where it asks for them`;
}

// --- what is disputed -------------------------------------------------------------------------------------------------

// What is said beside a verdict while somebody contests it, or all of the trial's: its status stays.
function disputes(trial, policy) {
  return (trial.contests ?? [])
    .filter((one) => !one.decision && (one.policy === null || one.policy === policy))
    .map((one) =>
      el(
        "p",
        { class: "small" },
        el("a", { href: "#contests" }, "disputed"),
        ` since ${day(one.opened)}: ${words.contest_reasons[one.reason].meaning}`,
      ),
    );
}

function contests(trial) {
  const rows = (trial.contests ?? []).map((one) => [
    one.id,
    words.policies[one.policy]?.title ?? words.rules[one.policy] ?? "every verdict",
    `${words.contest_reasons[one.reason].meaning}. ${one.what}`,
    day(one.opened),
    one.decision ? `${day(one.decided)}: ${words.contest_decisions[one.decision]}` : "open; the status stays",
  ]);
  return rows.length
    ? [
        el("h3", { id: "contests" }, "Contested"),
        table(
          "Contests of this trial's verdicts",
          ["Contest", "Rule", "What is said to be wrong", "Opened", "Decision"],
          rows,
        ),
      ]
    : null;
}

// --- what the trial is ----------------------------------------------------------------------------------------------

function facts(trial) {
  const enrolment =
    trial.enrolment === null
      ? "not stated"
      : `${trial.enrolment.toLocaleString("en")} (${trial.enrolment_type ?? "kind not stated"})`;
  const rows = {
    Sponsor: [
      trial.sponsor_at
        ? el("a", { href: `${words.root}sponsors/${trial.sponsor_at}/` }, trial.sponsor)
        : (trial.sponsor ?? "not stated"),
      trial.sponsor_class ? ` (${plain(trial.sponsor_class)})` : "",
    ],
    Study: `${plain(trial.study_type) || "kind not stated"}, ${words.phases[trial.phase] ?? "phase not stated"}`,
    "Recruitment status": plain(trial.status) || "not stated",
    Participants: enrolment,
    "First registered": day(trial.registered),
    Start: day(trial.start),
    "Primary completion": day(trial.primary_completion),
    Completion: day(trial.completion),
  };
  return el(
    "dl",
    { class: "facts" },
    Object.entries(rows).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );
}

function records(trial) {
  const rows = trial.registrations.map((one) => [
    link(one.url, one.id),
    registry(one.registry),
    `${day(one.seen)}, ${words.sources[one.source]?.title ?? one.source}`,
    [one.gone && `gone from the register since ${day(one.gone)}. `, one.replaced_by && `replaced by ${one.replaced_by}`]
      .filter(Boolean)
      .join("") || "in the register",
  ]);
  const others = (trial.numbers ?? []).map((one) =>
    el("li", {}, el("b", {}, one.number), ` – ${words.kinds[one.kind]}`),
  );
  const why = (trial.links ?? []).map((one) =>
    el(
      "li",
      {},
      el("b", {}, `${one.a} and ${one.b}`),
      one.decision === "merged"
        ? " are taken for one trial. "
        : ` are not taken for one trial (${one.decision}: ${words.link_reasons[one.reason]}). `,
      `${words.methods[one.method]}.`,
    ),
  );
  const apart = (trial.disagreements ?? []).map((one) =>
    el("li", {}, `${plain(one.field)}: `, one.values.map((v) => `${v.id} ${v.value ?? "nothing stated"}`).join("; ")),
  );
  return [
    el("h3", {}, rows.length > 1 ? `Its ${rows.length} records, taken for one trial` : "Its record"),
    table("Records of this trial in registers", ["Number", "Register", "Last seen", "State"], rows),
    why.length
      ? [
          el("h4", {}, "Why"),
          el("ul", {}, why),
          trial.all_links > why.length
            ? el("p", {}, `${trial.all_links - why.length} more in the table trial_links.`)
            : null,
        ]
      : null,
    apart.length ? [el("h4", {}, "Where its records disagree"), el("ul", {}, apart)] : null,
    others.length ? [el("h4", {}, "Also known as"), el("ul", {}, others)] : null,
  ];
}

function ladder(trial) {
  const rows = trial.ladder.map((one) => [
    words.rungs[one.rung],
    yes(one.reached),
    one.reached && one.date ? day(one.date) : "",
    one.reached ? (one.at ?? "") : "",
  ]);
  const before = (trial.before_start ?? []).map((one) => [
    words.rules[one.rule] ?? one.rule,
    [plain(one.status), disputes(trial, one.rule)],
    one.missing ? `the record does not state ${plain(one.missing)}` : (words.verdicts[one.status] ?? ""),
  ]);
  return [
    el("h3", {}, "What is public, step by step"),
    table("Steps of disclosure", ["Step", "Reached", "Since", "Where"], rows),
    el("h3", {}, "Registered before it began?"),
    table("Registered before it began, by each rule", ["Rule", "Verdict", "What that says"], before),
  ];
}

// --- verdicts -------------------------------------------------------------------------------------------------------

// The one criterion on which a verdict turns: the one that it names, else the one in which such a verdict is decided.
function decisive(verdict) {
  const { legs } = words.policies[verdict.policy];
  const shown = legs.map((leg, at) => ({ ...leg, told: verdict.legs[at] })).filter((leg) => leg.told);
  const named = (verdict.decided_by ?? "").split(", ");
  const role = words.statuses[verdict.status].decided_in;
  const open = shown.filter((leg) => leg.role === role && (role !== "scope" || leg.told[1] !== true));
  return shown.find((leg) => named.includes(leg.name)) ?? open[0] ?? shown.find((leg) => leg.role === "clock") ?? null;
}

function evidence(leg) {
  const [value, outcome, registration, field, isProxy] = leg.told;
  return [
    leg.question,
    yes(outcome) + (isProxy ? " (probably: something else stands for it)" : ""),
    value ?? "nothing stated",
    registration ?? "",
    plain(field),
  ];
}

function late(verdict) {
  if (verdict.late_max === null) return "";
  return verdict.late_min === verdict.late_max
    ? verdict.late_min.toLocaleString("en")
    : `${verdict.late_min.toLocaleString("en")} to ${verdict.late_max.toLocaleString("en")}`;
}

function change(verdict) {
  const { would_change: text } = words.statuses[verdict.status];
  return `${text}${group(verdict.status) === "cannot judge" && verdict.decided_by ? ` (${plain(verdict.decided_by)})` : ""}.`;
}

function verdictDetails(verdict) {
  const policy = words.policies[verdict.policy];
  const { meaning, does_not_mean: not } = words.statuses[verdict.status];
  const leg = decisive(verdict);
  const rows = policy.legs
    .map((one, at) => ({ ...one, told: verdict.legs[at] }))
    .filter((one) => one.told)
    .map(evidence);
  return el(
    "details",
    { id: `policy-${verdict.policy}` },
    el("summary", {}, `${policy.title}: ${plain(verdict.status)}`),
    el("p", {}, `${meaning}.`, not ? ` It does not mean: ${not}.` : ""),
    verdict.earliest !== verdict.status
      ? el("p", {}, `By the earliest reading of its dates it would be: ${plain(verdict.earliest)}.`)
      : null,
    leg
      ? el(
          "p",
          {},
          el("b", {}, "What decides it: "),
          `${leg.question} ${yes(leg.told[1])}${leg.told[0] ? `, ${leg.told[0]}` : ""}${leg.told[2] ? ` (${leg.told[2]}${leg.told[3] ? `, ${plain(leg.told[3])}` : ""})` : ""}.`,
        )
      : null,
    el("p", {}, el("b", {}, "What would change this verdict: "), change(verdict)),
    table(`Evidence under ${policy.title}`, ["Criterion", "Answer", "What the record says", "Record", "Field"], rows),
    el(
      "p",
      { class: "small" },
      el("a", { href: `${words.root}policies/${verdict.policy}/` }, "The rule"),
      `, version ${verdict.version}; covers the trial: ${verdict.applies}.`,
    ),
  );
}

function statusThen(trial, verdict, release) {
  let then = verdict.status;
  for (const one of trial.history ?? []) {
    if (one.policy === verdict.policy && one.day > release) then = one.from;
  }
  return then ? status(then) : "not known then";
}

function verdicts(trial) {
  const release = asked.get("release");
  const heads = ["Rule", "Status", ...(release ? [`As judged ${day(release)}`] : []), "Due", "Days late"];
  const rows = trial.verdicts.map((one) => [
    el("a", { href: `#policy-${one.policy}` }, words.policies[one.policy].title),
    [status(one.status), disputes(trial, one.policy)],
    ...(release ? [statusThen(trial, one, release)] : []),
    one.due_latest && group(one.status) !== "outside" ? days(one.due_earliest, one.due_latest) : "",
    late(one),
  ]);
  return [
    el("h3", {}, "Under each rule"),
    table("Status under each rule", heads, rows, { id: "verdicts" }),
    el("h3", {}, "Why, and what would change it"),
    trial.verdicts.map(verdictDetails),
  ];
}

function history(trial) {
  if (!trial.history?.length) return null;
  const rows = trial.history.map((one) => [
    el("a", { href: `?id=${encodeURIComponent(asked.get("id"))}&release=${one.day}` }, day(one.day)),
    words.policies[one.policy]?.title ?? one.policy,
    `${plain(one.from) || "not known"} → ${plain(one.to) || "given up"}`,
    `${words.reasons[one.reason]}${one.fields?.length ? ` (${one.fields.map(plain).join(", ")})` : ""}`,
  ]);
  return [el("h3", {}, "What changed before"), table("Changes of status", ["Day", "Rule", "From and to", "Why"], rows)];
}

function paperWhy(paper) {
  const against = [
    paper.before && "before primary completion",
    paper.pooled && "of more than three trials",
    paper.retracted && "retracted",
    paper.preprint && "preprint",
  ];
  const why = [paper.why !== "passed" && words.filters[paper.why], ...against].filter(Boolean).join("; ");
  return `${paper.counts ? "counts as results" : "does not count as results"}${why ? ` (${why})` : ""}`;
}

function papers(trial) {
  if (!trial.papers?.length)
    return [
      el("h3", {}, "Articles"),
      el("p", {}, `No linked article found. ${words.sources.pubmed?.state ?? "PubMed is not loaded"}.`),
    ];
  const rows = trial.papers.map((one) => [
    link(`https://pubmed.ncbi.nlm.nih.gov/${one.pmid}/`, `PMID ${one.pmid}`),
    [one.title ?? "(article not loaded)", one.journal ? `. ${one.journal}` : ""],
    day(one.published),
    paperWhy(one),
  ]);
  return [
    el("h3", {}, "Articles"),
    table("Articles linked with this trial", ["Article", "Title", "Published", "Whether it counts"], rows),
    trial.all_papers > rows.length
      ? el("p", {}, `${trial.all_papers - rows.length} more in the table trial_publications.`)
      : null,
  ];
}

// --- the receipt and contesting -------------------------------------------------------------------------------------

function receipt(id, trial) {
  const read = trial.registrations.map(
    (one) =>
      `- ${registry(one.registry)}: ${one.id}, ${one.read ? `read on ${one.read}` : `not read itself, seen in ${words.sources[one.source]?.title ?? one.source} on ${one.seen}`}`,
  );
  const known = [
    ...new Set([id, ...trial.registrations.map((one) => one.id), ...(trial.numbers ?? []).map((one) => one.number)]),
  ];
  const counted = (trial.papers ?? []).filter((one) => one.counts).map((one) => one.pmid);
  const others = (trial.papers ?? []).filter((one) => !one.counts).map((one) => `- PMID ${one.pmid}: ${paperWhy(one)}`);
  const found = {
    found: `Results found: ${trial.results_at}, ${trial.results_date ?? "on an unknown day"}.`,
    none_found: "No results found in the sources searched.",
    cannot_judge: `Cannot be judged: ${(trial.not_searched ?? []).join("; ")}.`,
  }[trial.results];
  return [
    `Search receipt for trial ${id}`,
    `Release ${words.release}, as of ${words.as_of}`,
    "",
    "Registers:",
    ...read,
    "",
    "Sources:",
    ...Object.values(words.sources).map((one) => `- ${one.state}`),
    "",
    `Numbers tried: ${known.join(", ")}`,
    `Articles that count as results: ${counted.length ? counted.map((pmid) => `PMID ${pmid}`).join(", ") : "none"}`,
    ...(others.length ? ["Other linked articles:", ...others] : []),
    "",
    found,
    "That nothing was found does not mean that nothing exists.",
  ].join("\n");
}

function contest(id, trial) {
  const reasons = Object.values(words.contest_reasons);
  const rows = trial.verdicts.map((one) => {
    const leg = decisive(one);
    return `- ${one.policy} (version ${one.version}): ${one.status}${leg ? `; ${leg.name} = ${yes(leg.told[1])}, ${leg.told[0] ?? "nothing stated"} (${leg.told[2] ?? "no record"}, ${leg.told[3] ?? "no field"})` : ""}`;
  });
  const text = [
    `Trial: ${id}`,
    `Release: ${words.release}, as of ${words.as_of}`,
    "Rule that I contest: ",
    `Reason (one of: ${reasons.map((one) => one.meaning).join("; ")}): `,
    "What is wrong, and how you can see it: ",
    "",
    "Verdicts and what decides them:",
    ...rows,
  ].join("\n");
  const mail = /^[^@\s]+@[^@\s]+$/.test(words.contact);
  const target = mail
    ? `mailto:${words.contact}?subject=${encodeURIComponent(`Contest: ${id}, release ${words.release}`)}&body=${encodeURIComponent(text)}`
    : words.contact;
  return [
    el("h3", { id: "contest" }, "Is something wrong?"),
    el("p", {}, "The evidence above is all that the verdict rests on. There are five ways in which it can be wrong:"),
    el(
      "ol",
      {},
      reasons.map((one) => el("li", {}, el("b", {}, one.meaning), `. ${one.asks}`)),
    ),
    pasteable("report", "A report, ready to be filled in", text),
    words.contact
      ? el("p", {}, "Send it to ", el("a", { href: target, rel: "noreferrer" }, words.contact), ". ", words.response)
      : null,
  ];
}

// --- the page -------------------------------------------------------------------------------------------------------

function page(id, trial) {
  document.title = `${id} – AllTrials open data`;
  return el(
    "article",
    {},
    el("h2", { id: "trial", tabindex: "-1" }, id, ": ", trial.title ?? "(no title)"),
    sentence(trial),
    facts(trial),
    verdicts(trial),
    contests(trial),
    ladder(trial),
    records(trial),
    papers(trial),
    history(trial),
    el("h3", { id: "receipt-title" }, "Where was searched"),
    pasteable("receipt", "Search receipt, for a review's appendix", receipt(id, trial)),
    contest(id, trial),
  );
}

function several(found, text) {
  const what =
    found.what === "article"
      ? `The article ${text} (PMID ${found.pmid}) belongs to ${found.total} trials`
      : `${found.total} trials state the number ${text}`;
  const more =
    found.total > found.ids.length
      ? el("p", {}, `${found.total - found.ids.length} more are in the table identifiers.`)
      : null;
  return [
    el("h2", { id: "trial", tabindex: "-1" }, what),
    el(
      "ul",
      {},
      found.ids.map((id) => el("li", {}, el("a", { href: `?id=${encodeURIComponent(id)}` }, id))),
    ),
    more,
  ];
}

function nothing(text) {
  const states = Object.values(words.sources).map((one) => el("li", {}, one.state));
  return [
    el("h2", { id: "trial", tabindex: "-1" }, `No trial found by ${text} in the sources searched`),
    el(
      "p",
      {},
      "That does not mean that there is none: its register may not be loaded, or the number may be mistyped. Searched were:",
    ),
    el("ul", {}, states),
  ];
}

const HOW = {
  stated: "The number is not its registration: its record states it.",
  past: "The number was given up; it now means this trial.",
};

async function show(text) {
  told.textContent = "Looking it up …";
  const found = await numbers.find(text);
  const [id] = found.ids;
  if (found.total === 1) {
    const trial = await numbers.trial(id);
    const how = found.what === "article" ? `Found by an article, PMID ${found.pmid}.` : HOW[found.what];
    answer.replaceChildren(...[how ? el("p", { class: "note" }, how) : null, page(id, trial)].filter(Boolean));
    told.textContent = `Found: ${id}.`;
  } else {
    answer.replaceChildren(...(found.total ? several(found, text) : nothing(text)).filter(Boolean));
    told.textContent = found.total ? `${found.total} trials found.` : "Nothing found.";
  }
  const target = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (target?.tagName === "DETAILS") target.open = true;
  (target ?? document.getElementById("trial")).scrollIntoView();
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName === "DETAILS") target.open = true;
}

const text = (asked.get("id") ?? "").trim();
document.getElementById("id").value = text;
window.addEventListener("hashchange", openTarget);
if (text) {
  show(text).catch((error) => {
    told.textContent = `The look-up failed: ${error.message}`;
  });
}
