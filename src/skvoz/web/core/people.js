/** How a person or a group is drawn where there is no picture: initials on a colour of their own. */

import { html } from "../vendor/lit.js";
import { say } from "./texts.js";

const HUES = 8;

/**
 * @param {string} name
 * @returns {string}
 */
export function initials(name) {
  const begins = name.split(/\s+/u).flatMap((word) => /[\p{L}\p{N}]/u.exec(word)?.[0] ?? []);
  // A name of nothing but signs or emoji still has a face.
  if (!begins.length) return [...name.trim()][0] ?? "";
  return [begins[0], ...begins.slice(1).slice(-1)].join("").toLocaleUpperCase();
}

/**
 * @param {string} id base64 of something random, so that any part of it is a fair die
 * @param {string} name
 * @param {string} [size] `small`, `large`, or empty
 */
export function avatar(id, name, size = "") {
  return html`<span class="avatar hue-${hueOf(id)} ${size}" aria-hidden="true">${initials(name) || "?"}</span>`;
}

/** @param {string} id */
export function hueOf(id) {
  return (id.charCodeAt(3) + id.charCodeAt(7)) % HUES;
}

/**
 * @param {string} name
 * @returns {string} what to call somebody of this name, which may be empty
 */
export function called(name) {
  return name || say("Somebody without a name");
}

/**
 * @param {{ title: string }} chat
 * @returns {string}
 */
export function chatName(chat) {
  return called(chat.title);
}
