/**
 * What people read, in their language. English stands in the code; other languages are `texts/LANGUAGE.json`, made
 * of the catalogues that the command line uses (`./dev translate`), which finds what stands in `say` and `count`.
 */

import { Signal } from "./signal.js";

/** @typedef {"en" | "ru"} Language */
/** @typedef {Record<string, string | string[]>} Catalogue */

export const LANGUAGES = /** @type {const} */ ({ en: "English", ru: "Русский" });
const KEY = "skvoz.language";
/** Between the two English forms in a catalogue's key. */
const FORMS = "\u0000";
/** In gettext's order of a language's plural forms. */
const PLURALS = { en: ["one", "other"], ru: ["one", "few", "many"] };

/** @type {Signal<Language>} */
export const language = new Signal(/** @type {Language} */ ("en"));
/** The language with the customs of a country, as the browser has it: they decide about times and numbers. */
let locale = "en";
/** @type {Catalogue} */
let catalogue = {};
let plurals = new Intl.PluralRules("en");

/** @returns {string} the language that was chosen in the settings, empty: as the browser says */
export function chosenLanguage() {
  return localStorage.getItem(KEY) ?? "";
}

/**
 * Speak a language, or that of the browser (empty), from now on.
 *
 * @param {string} chosen
 */
export async function chooseLanguage(chosen) {
  if (chosen) localStorage.setItem(KEY, chosen);
  else localStorage.removeItem(KEY);
  await loadLanguage();
}

/** Read the catalogue of the language that is to be spoken. */
export async function loadLanguage() {
  const wished = [chosenLanguage(), ...navigator.languages].map((tag) => tag.slice(0, 2));
  const found = /** @type {Language} */ (wished.find((tag) => tag in LANGUAGES) ?? "en");
  catalogue = found === "en" ? {} : await (await fetch(`/texts/${found}.json`)).json();
  plurals = new Intl.PluralRules(found);
  locale = navigator.languages.find((tag) => tag.startsWith(found)) ?? found;
  document.documentElement.lang = found;
  formats.clear();
  language.value = found;
}

/**
 * What stands for an English text in a catalogue: it is sent less that way. `tests/texts/catalogue.py` sees to it
 * that no two are alike.
 *
 * @param {string} text
 */
function shortKey(text) {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 8).toString(36);
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} [values] what stands for `{names}` in the text
 * @returns {string}
 */
export function say(text, values) {
  const spoken = catalogue[shortKey(text)];
  return filled(typeof spoken === "string" ? spoken : text, values);
}

/** Say what the node has said in English, of which it sees to it that there is a translation. */
export const sayAgain = say;

/**
 * Return the form for a number, which may be used as `{number}`.
 *
 * @param {string} one
 * @param {string} many
 * @param {number} number
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function count(one, many, number, values) {
  const forms = catalogue[shortKey(one + FORMS + many)];
  const form = plurals.select(number);
  const spoken = Array.isArray(forms) ? forms[Math.max(0, PLURALS[language.value].indexOf(form))] : undefined;
  return filled(spoken ?? (number === 1 ? one : many), { number: numeral(number), ...values });
}

/**
 * Return why something was refused; after a colon may stand the system's own words.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function explain(error) {
  const text = error instanceof Error ? error.message : String(error);
  if (shortKey(text) in catalogue) return say(text);
  return text.split(": ").map((part) => say(part)).join(": ");
}

/** What turns the direction of all that follows: a name with it would turn the sentence that it stands in. */
const TURNS = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * @param {string} text
 * @param {Record<string, string | number>} [values]
 */
function filled(text, values) {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole).replace(TURNS, ""));
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/**
 * @param {string} name
 * @param {Intl.DateTimeFormatOptions} options
 */
function format(name, options) {
  const known = formats.get(name) ?? new Intl.DateTimeFormat(locale, options);
  formats.set(name, known);
  return known;
}

/** @param {number} number */
export function numeral(number) {
  return number.toLocaleString(locale);
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];

/** @param {number} bytes */
export function fileSize(bytes) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  const digits = { maximumFractionDigits: value < 10 && power ? 1 : 0 };
  // The short word for bytes knows no plural in English.
  const unitDisplay = power ? "short" : "long";
  return value.toLocaleString(locale, { style: "unit", unit: UNITS[power], unitDisplay, ...digits });
}

/** @param {number} ms */
export function clock(ms) {
  return format("clock", { hour: "numeric", minute: "2-digit" }).format(ms);
}

/** @param {number} ms */
export function fullTime(ms) {
  return format("full", { dateStyle: "full", timeStyle: "short" }).format(ms);
}

/** @param {number} ms */
export function fullDay(ms) {
  return format("dated", { day: "numeric", month: "long", year: "numeric" }).format(ms);
}

/** @param {number} ms */
export function dayOf(ms) {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** @param {number} ms */
export function dayName(ms) {
  const days = Math.round((dayOf(Date.now()) - dayOf(ms)) / 86_400_000);
  if (days === 0) return say("Today");
  if (days === 1) return say("Yesterday");
  if (days > 1 && days < 7) return capital(format("weekday", { weekday: "long" }).format(ms));
  const isThisYear = new Date(ms).getFullYear() === new Date().getFullYear();
  if (isThisYear) return format("date", { day: "numeric", month: "long" }).format(ms);
  return fullDay(ms);
}

/** @param {number} ms */
export function shortTime(ms) {
  const days = Math.round((dayOf(Date.now()) - dayOf(ms)) / 86_400_000);
  if (days <= 0) return clock(ms);
  if (days < 7) return format("short weekday", { weekday: "short" }).format(ms);
  return format("short date", { day: "2-digit", month: "2-digit", year: "2-digit" }).format(ms);
}

/** @param {readonly string[]} names */
export function listed(names) {
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(names);
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @param {number} seconds @returns {string} */
export function duration(seconds) {
  if (seconds % (7 * DAY) === 0) return count("{number} week", "{number} weeks", seconds / (7 * DAY));
  if (seconds % DAY === 0) return count("{number} day", "{number} days", seconds / DAY);
  if (seconds % HOUR === 0) return count("{number} hour", "{number} hours", seconds / HOUR);
  if (seconds % MINUTE === 0) return count("{number} minute", "{number} minutes", seconds / MINUTE);
  return count("{number} second", "{number} seconds", seconds);
}

/** @param {string} text */
export function capital(text) {
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}
