// One key for every spelling of a number, in the browser: runs the table that pipelines/site/spelling.py writes.
// Belongs here: folding a text, the canonical number, the key, the shard of a key. Does not: any rule of its own.

export function speller(table) {
  const rules = table.rules.map((rule) => ({ ...rule, pattern: new RegExp(`^(?:${rule.pattern})$`) }));
  const spaces = new RegExp(`[${table.spaces}]`, "gu");
  const nothing = new RegExp(`[${table.nothing}]`, "gu");
  const dashes = new RegExp(`[${table.dashes}]`, "gu");
  const blanks = new RegExp(`[${table.blank}]+`, "g");
  const article = new RegExp(table.article, "g");

  // Footnote figures and odd blanks become blanks before characters are folded, else a footnote becomes a digit.
  function fold(text) {
    const plain = text.replace(nothing, "").replace(spaces, " ");
    // Each by itself: a letter and the accent behind it stay two characters.
    return Array.from(plain, (one) =>
      one > "\x7f" ? one.normalize("NFKC").replace(dashes, "-").replace(spaces, " ") : one,
    ).join("");
  }

  function trimmed(text, characters) {
    let start = 0;
    let end = text.length;
    while (start < end && characters.includes(text[start])) start += 1;
    while (end > start && characters.includes(text[end - 1])) end -= 1;
    return text.slice(start, end);
  }

  // The register's own spelling of the number that the whole text is; null if it is none.
  function canonical(text) {
    const plain = trimmed(fold(text), table.around);
    const spellings = /^[\x00-\x7f]*$/.test(plain) ? [plain, plain.toUpperCase()] : [plain];
    for (const spelling of spellings) {
      for (const rule of rules) {
        const match = rule.pattern.exec(spelling);
        if (!match || (rule.given && (match.groups[rule.given[0]] !== undefined) !== rule.given[1])) continue;
        return rule.form.replace(/\{(\w+)\}/g, (_, name) => {
          const part = (match.groups[name] ?? "").replace(/[^0-9A-Za-z]/g, "");
          return rule.lower ? part.toLowerCase() : part.toUpperCase();
        });
      }
    }
    return null;
  }

  function key(text) {
    const number = canonical(text);
    if (number !== null) return number.toLowerCase();
    return trimmed(fold(text).replace(blanks, " "), " ").toLowerCase().replace(article, "");
  }

  return { fold, canonical, key };
}

const POLYNOMIAL = 0xedb88320;

// Which of `count` shards (a power of two) holds a key: the last bits of its CRC-32.
export function shardOf(key, count) {
  let sum = 0xffffffff;
  for (const byte of new TextEncoder().encode(key)) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? POLYNOMIAL : 0);
  }
  return ((sum ^ 0xffffffff) >>> 0) & (count - 1);
}
