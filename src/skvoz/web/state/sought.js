/** What was looked for in the open chat: its words are marked there until the search ends. Kept in memory only. */

import { Signal } from "../core/signal.js";

/** @typedef {import("../chat/words.js").Span} Span */
/** @typedef {{ chatId: string, text: string, at: number }} Sought `at`: the sequence of the message that one is at */

/** @type {Signal<Sought | null>} */
export const sought = new Signal(/** @type {Sought | null} */ (null));

const WORD = /[\p{L}\p{M}\p{N}_]+/gu;

/** @param {string} text @returns {string} as the node's index has it */
export function folded(text) {
  return text.normalize("NFC").toLowerCase().replaceAll("ё", "е");
}

/**
 * Where a text has the words that were looked for in its chat; none where the whole that it is of lacks some of them.
 *
 * @param {string} chatId
 * @param {string} text
 * @param {string} [whole]
 * @returns {Span[]}
 */
export function soughtIn(chatId, text, whole = text) {
  if (sought.value?.chatId !== chatId) return [];
  /** @type {string[]} */
  const words = folded(sought.value.text).match(WORD) ?? [];
  const last = words.at(-1);
  if (!last) return [];
  const there = whole === text || soughtIn(chatId, whole).length > 0;
  /** @type {Set<string>} */
  const met = new Set();
  /** @type {Span[]} */
  const spans = [];
  for (const { 0: word, index: start } of text.matchAll(WORD)) {
    const form = folded(word);
    const isWhole = words.includes(form);
    if (isWhole) met.add(form);
    if (form.startsWith(last)) met.add(last);
    else if (!isWhole) continue;
    spans.push({ start, end: start + (isWhole ? word.length : Math.min(last.length, word.length)), kind: "found" });
  }
  return there && (whole !== text || words.every((word) => met.has(word))) ? spans : [];
}
