/**
 * Words for a screen reader that are not on the screen, and short notes that are.
 */

import { Signal } from "./signal.js";

const NOTE_MS = 4000;

/** @type {Signal<string>} */
export const announced = new Signal("");
/** @type {Signal<string>} */
export const note = new Signal("");
let ending = 0;

/**
 * Have a text read out.
 *
 * @param {string} text
 */
export function announce(text) {
  // The same words twice are two announcements.
  announced.value = announced.value === text ? `${text}\u00a0` : text;
}

/**
 * Show a short note for a while; it is read out too.
 *
 * @param {string} text
 */
export function tell(text) {
  note.value = text;
  clearTimeout(ending);
  ending = setTimeout(() => {
    note.value = "";
  }, NOTE_MS);
}
