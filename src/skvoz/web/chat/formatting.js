/**
 * Words as people format them: a small part of Markdown, read into a tree with places in the source, so that mentions
 * and search results can be laid over it.
 *
 * `**bold**`, `*italic*` or `_italic_`, `~~struck~~`, `` `code` ``, fenced code, `> quotes`, and addresses of the web.
 * Marks count only at the edges of words, so `2*3*4` and `__init__` stay what they are. A text is read in time that grows
 * with its length only: where a mark can close is looked up once. Nothing is ever read as HTML.
 */

/** @typedef {"strong" | "em" | "del"} Mark */
/**
 * @typedef {{ kind: "text", start: number, end: number }
 *   | { kind: "code", start: number, end: number }
 *   | { kind: "link", start: number, end: number, href: string }
 *   | { kind: Mark, parts: Inline[] }} Inline
 */
/**
 * @typedef {{ kind: "lines", parts: Inline[] } | { kind: "quote", parts: Inline[] }
 *   | { kind: "fence", start: number, end: number }} Block
 */

const MARKS = /** @type {const} */ ([
  ["**", "strong"],
  ["~~", "del"],
  ["*", "em"],
  ["_", "em"],
]);
const WORD = /[\p{L}\p{N}\p{M}_]/u;
const SPACE = /\s/u;
const ADDRESS = /https?:\/\/[^\s<>"'`\\]+/giy;
/** Punctuation that ends a sentence rather than an address. */
const AFTER_ADDRESS = /[.,;:!?…»”’*_~]+$/u;
const DEPTH_MAX = 8;

/**
 * @param {string} text
 * @returns {Block[]}
 */
export function parseBlocks(text) {
  /** @type {Block[]} */
  const blocks = [];
  let at = 0;
  while (at < text.length) {
    const fence = fenceAt(text, at);
    if (fence) {
      blocks.push({ kind: "fence", start: fence.start, end: fence.end });
      at = fence.next;
      continue;
    }
    const isQuote = text.startsWith("> ", at);
    /** @type {Inline[]} */
    const parts = [];
    while (at < text.length) {
      const end = lineEnd(text, at);
      parts.push(...parseInline(text, isQuote ? at + 2 : at, end));
      at = end + 1;
      const goesOn = at < text.length && text.startsWith("> ", at) === isQuote && !fenceAt(text, at);
      // The line feed stays a part of the text, so that a copy of it is what was written.
      if (goesOn) parts.push({ kind: "text", start: end, end: at });
      else break;
    }
    blocks.push({ kind: isQuote ? "quote" : "lines", parts });
  }
  return blocks;
}

/**
 * @param {string} text
 * @param {number} at
 */
function lineEnd(text, at) {
  const found = text.indexOf("\n", at);
  return found < 0 ? text.length : found;
}

/**
 * @param {string} text
 * @param {number} at
 */
function fenceAt(text, at) {
  if (!text.startsWith("```", at)) return null;
  const start = lineEnd(text, at) + 1;
  const close = text.indexOf("\n```", start - 1);
  if (close < 0) return null;
  const next = lineEnd(text, close + 4) + 1;
  return { start, end: Math.max(start, close), next };
}

/**
 * @param {string} text
 * @param {number} from
 * @param {number} to
 * @param {number} [depth]
 * @returns {Inline[]}
 */
export function parseInline(text, from, to, depth = 0) {
  /** @type {Inline[]} */
  const parts = [];
  let plainFrom = from;
  let at = from;
  /** @param {number} end */
  const flush = (end) => {
    if (end > plainFrom) parts.push({ kind: "text", start: plainFrom, end });
  };
  while (at < to) {
    const found = codeAt(text, at, to) ?? linkAt(text, at, to) ?? markAt(text, at, to, from, depth);
    if (found) {
      flush(at);
      parts.push(found.part);
      at = plainFrom = found.next;
    } else {
      at += 1;
    }
  }
  flush(to);
  return parts;
}

/**
 * @param {string} text
 * @param {number} at
 * @param {number} to
 * @returns {{ part: Inline, next: number } | null}
 */
function codeAt(text, at, to) {
  if (text[at] !== "`") return null;
  const close = text.indexOf("`", at + 1);
  if (close <= at + 1 || close >= to) return null;
  return { part: { kind: "code", start: at + 1, end: close }, next: close + 1 };
}

/**
 * @param {string} text
 * @param {number} at
 * @param {number} to
 * @returns {{ part: Inline, next: number } | null}
 */
function linkAt(text, at, to) {
  if ((text[at] !== "h" && text[at] !== "H") || (at > 0 && WORD.test(text[at - 1] ?? ""))) return null;
  ADDRESS.lastIndex = at;
  const found = ADDRESS.exec(text);
  if (!found) return null;
  let address = found[0].slice(0, to - at).replace(AFTER_ADDRESS, "");
  // A bracket that was opened before the address closes after it.
  while (address.endsWith(")") && !address.includes("(")) address = address.slice(0, -1);
  const href = safeAddress(address);
  return href ? { part: { kind: "link", start: at, end: at + address.length, href }, next: at + address.length } : null;
}

/**
 * @param {string} address
 * @returns {string} empty for what leads nowhere on the web
 */
function safeAddress(address) {
  try {
    const { protocol, href, hostname } = new URL(address);
    return (protocol === "https:" || protocol === "http:") && hostname ? href : "";
  } catch {
    return "";
  }
}

/**
 * @param {string} text
 * @param {number} at
 * @param {number} to
 * @param {number} from
 * @param {number} depth
 * @returns {{ part: Inline, next: number } | null}
 */
function markAt(text, at, to, from, depth) {
  const mark = MARKS.find(([sign]) => text.startsWith(sign, at));
  if (!mark || depth >= DEPTH_MAX) return null;
  const [sign, kind] = mark;
  const inner = at + sign.length;
  const before = at > from ? (text[at - 1] ?? "") : "";
  if (WORD.test(before) || before === sign[0] || SPACE.test(text[inner] ?? " ") || text[inner] === sign[0]) return null;
  const close = firstAfter(closersOf(text, sign), inner);
  if (close === undefined || close + sign.length > to) return null;
  return { part: { kind, parts: parseInline(text, inner, close, depth + 1) }, next: close + sign.length };
}

/** The places of the last text's closing marks, by sign. @type {{ text: string, places: Map<string, number[]> }} */
let closers = { text: "", places: new Map() };

/**
 * @param {string} text
 * @param {string} sign
 * @returns {number[]} where the sign may close: after no space, and before no word
 */
function closersOf(text, sign) {
  if (closers.text !== text) closers = { text, places: new Map() };
  const known = closers.places.get(sign);
  if (known) return known;
  const found = [];
  for (let close = text.indexOf(sign); close >= 0; close = text.indexOf(sign, close + 1)) {
    const [before, after] = [text[close - 1] ?? " ", text[close + sign.length] ?? ""];
    if (!SPACE.test(before) && before !== sign[0] && !WORD.test(after) && after !== sign[0]) found.push(close);
  }
  closers.places.set(sign, found);
  return found;
}

/**
 * @param {number[]} sorted
 * @param {number} least
 * @returns {number | undefined} the first that is greater
 */
function firstAfter(sorted, least) {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) > least) high = middle;
    else low = middle + 1;
  }
  return sorted[low];
}
