/** A message's words on the screen: formatting, mentions and search results as templates, never as HTML. */

import { html } from "../vendor/lit.js";
import { say } from "../core/texts.js";
import { parseBlocks } from "./formatting.js";

/** @typedef {import("../types/api.js").LocationView} LocationView */
/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("./formatting.js").Inline} Inline */
/** @typedef {{ start: number, end: number, kind: "mention" | "found" }} Span places in UTF-16 units */

const PREVIEW = 120;

/**
 * @param {Pick<MessageView, "text" | "deleted"> & Partial<Pick<MessageView, "unsupported" | "files" | "location" | "poll">>} message
 * @returns {string} one line, for lists
 */
export function plainWords(message) {
  if (message.deleted) return say("Deleted");
  if (message.files?.length && !message.text) return `📎 ${message.files.map((file) => file.name).join(", ")}`;
  if (message.poll) return say("Poll: {words}", { words: message.poll.question });
  if (message.location) return say("Location: {words}", { words: message.location.label || coordinates(message.location) });
  if (message.unsupported && !message.text) return say("Something that this version can't show");
  const line = unmarked(message.text.slice(0, 4 * PREVIEW)).replace(/\s+/gu, " ").trim();
  return line.length > PREVIEW ? `${line.slice(0, PREVIEW)}…` : line;
}

/** @param {MessageView} message @returns {boolean} whether its author can change it */
export function isWords({ deleted, unsupported, location, poll }) {
  return !deleted && !unsupported && !location && !poll;
}

const DEGREE = 10_000_000;

/** @param {LocationView} place @returns {string} latitude and longitude in degrees, as maps take them */
export function coordinates({ latitude_e7, longitude_e7 }) {
  return [latitude_e7, longitude_e7].map((one) => String(Number((one / DEGREE).toFixed(7)))).join(", ");
}

const BEFORE_FOUND = 24;

/**
 * The part of a message where a search found something, on one line, with what was found marked.
 *
 * @param {MessageView} message
 */
export function found(message) {
  const { text, files } = message;
  const spans = spansOf({ ...message, mentions: [] });
  if (!spans.length && files.length) return [...files.map(({ name }) => name), text].filter(Boolean).join(", ");
  const first = spans[0]?.start ?? 0;
  const start = first > BEFORE_FOUND ? text.lastIndexOf(" ", first - BEFORE_FOUND / 2) + 1 : 0;
  const end = start + PREVIEW;
  const words = wordsIn(text).map((block, number) => {
    const seen = block.filter((one) => one.start < end && one.end > start);
    return [number && seen.length ? " " : "", seen.map((one) => marked(text, Math.max(one.start, start), Math.min(one.end, end), spans))];
  });
  return html`${start ? "…" : ""}${words}`;
}

/** @param {string} text @returns {string} the words without the marks that format them */
function unmarked(text) {
  return wordsIn(text)
    .map((block) => block.map(({ start, end }) => text.slice(start, end)).join(""))
    .join("\n");
}

/** @param {string} text @returns {{ start: number, end: number }[][]} for each block where its words are, without marks */
function wordsIn(text) {
  /** @param {Inline[]} parts @returns {{ start: number, end: number }[]} */
  const inline = (parts) => parts.flatMap((part) => ("parts" in part ? inline(part.parts) : [part]));
  return parseBlocks(text).map((block) => (block.kind === "fence" ? [block] : inline(block.parts)));
}

/**
 * @param {MessageView} message
 * @param {{ links?: boolean, sought?: Span[] }} [how] without links for what strangers wrote; with words that were looked for
 */
export function formatted(message, { links = true, sought = [] } = {}) {
  const { text } = message;
  const spans = spansOf(message, sought);
  /** @param {Inline[]} parts @returns {unknown[]} */
  const inline = (parts) =>
    parts.map((part) => {
      switch (part.kind) {
        case "text":
          return marked(text, part.start, part.end, spans);
        case "code":
          return html`<code>${marked(text, part.start, part.end, spans)}</code>`;
        case "link": {
          const shown = marked(text, part.start, part.end, spans);
          return links ? html`<a href=${part.href} target="_blank" rel="noopener noreferrer">${shown}</a>` : shown;
        }
        case "strong":
          return html`<strong>${inline(part.parts)}</strong>`;
        case "em":
          return html`<em>${inline(part.parts)}</em>`;
        case "del":
          return html`<del>${inline(part.parts)}</del>`;
      }
    });
  return parseBlocks(text).map((block) => {
    switch (block.kind) {
      case "fence":
        return html`<pre tabindex="0"><code>${marked(text, block.start, block.end, spans)}</code></pre>`;
      case "quote":
        return html`<blockquote dir="auto">${inline(block.parts)}</blockquote>`;
      case "lines":
        return html`<p dir="auto">${inline(block.parts)}</p>`;
    }
  });
}

/** @param {MessageView} message @param {Span[]} [sought] @returns {Span[]} without overlaps, in order */
function spansOf({ text, mentions, highlights }, sought = []) {
  if (!mentions.length && !highlights.length) return sought;
  const places = unitsOf(text);
  /** @param {number} start @param {number} length @param {Span["kind"]} kind @returns {Span} */
  const span = (start, length, kind) => ({
    start: places[start] ?? text.length,
    end: places[start + length] ?? text.length,
    kind,
  });
  const all = [
    ...mentions.map((one) => span(one.start, one.length, "mention")),
    ...highlights.map(([start, length]) => span(start, length, "found")),
    ...sought,
  ].sort((one, other) => one.start - other.start);
  /** @type {Span[]} */
  const kept = [];
  for (const one of all) if (one.start >= (kept.at(-1)?.end ?? 0) && one.end > one.start) kept.push(one);
  return kept;
}

/**
 * @param {string} text
 * @returns {number[]} for each code point where it begins in UTF-16 units, and the end
 */
export function unitsOf(text) {
  const places = [];
  let at = 0;
  for (const point of text) {
    places.push(at);
    at += point.length;
  }
  return [...places, at];
}

/**
 * @param {string} text
 * @param {number} start
 * @param {number} end
 * @param {Span[]} spans
 */
export function marked(text, start, end, spans) {
  const inside = spans.filter((span) => span.start < end && span.end > start);
  if (!inside.length) return text.slice(start, end);
  const parts = [];
  let at = start;
  for (const span of inside) {
    const [from, to] = [Math.max(span.start, start), Math.min(span.end, end)];
    if (from > at) parts.push(text.slice(at, from));
    const words = text.slice(from, to);
    parts.push(span.kind === "found" ? html`<mark>${words}</mark>` : html`<span class="mention">${words}</span>`);
    at = to;
  }
  if (at < end) parts.push(text.slice(at, end));
  return parts;
}
