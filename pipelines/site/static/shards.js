// From a number to its trials and to the explanation of one, by the shards that pipelines/site/lookup.py fills.
// Belongs here: which small file is asked for, and what is in it. Does not: what a page makes of it.

import { shardOf, speller } from "./spelling.js";

// folder: the address of the shards, with its slash. count: how many there are. table: how numbers are spelt.
export function shelf(folder, count, table) {
  const { fold, canonical, key } = speller(table);
  const asked = new Map();

  function shard(name) {
    const number = shardOf(name, count);
    if (!asked.has(number)) asked.set(number, read(new URL(`${number}.json.gz`, folder)));
    return asked.get(number);
  }

  // What a text leads to: { key, what, ids, total, pmid }; `what` is empty where nobody has the number.
  async function find(text) {
    const wanted = key(text);
    const { numbers } = await shard(wanted);
    const [what, ids, total, pmid] = Object.hasOwn(numbers, wanted) ? numbers[wanted] : ["", [], 0, null];
    return { key: wanted, what, ids, total, pmid };
  }

  async function trial(id) {
    return (await shard(id.toLowerCase())).trials[id];
  }

  return { find, trial, fold, canonical, key };
}

export async function read(address) {
  const answer = await fetch(address);
  if (!answer.ok)
    throw new Error(
      `${address.pathname}: the server answered ${answer.status}. Load this page again: there may be a newer release.`,
    );
  const bytes = new Uint8Array(await answer.arrayBuffer());
  // Some servers unpack such files on the way.
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const whole = isPacked ? new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")) : new Blob([bytes]);
  return JSON.parse(await new Response(whole).text());
}
