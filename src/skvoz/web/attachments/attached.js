/**
 * What is attached in each chat and not sent yet: made ready and handed to the node one after another. The node knows of each
 * from the beginning, so that a page that is opened anew still shows it; only bytes that had not come yet are gone with the page.
 */

import { announce, tell } from "../core/announce.js";
import { call, on, wish } from "../core/connection.js";
import { Signal } from "../core/signal.js";
import { count, explain, say } from "../core/texts.js";
import { filmFace } from "./films.js";
import { handOver } from "./hand_over.js";
import { picture, smallerThumbnail } from "./pictures.js";

/** @typedef {import("../types/api.js").FileToSend} FileToSend */
/** @typedef {import("../types/api.js").FileView} FileView */
/** @typedef {{ durationMs: number, waveform: number[] }} Measures */
/**
 * `part`: how much the node has, of one. `shown`: an address of the thumbnail. `asItIs`: with all that a camera wrote into it.
 * `isPicture`: may go as it is, or without that; `original` is what was chosen.
 * `lost`: its bytes went with an earlier page. `known`: done once the node knows of it.
 *
 * @typedef {{
 *   source: File | null, name: string, size: number, state: "waits" | "moves" | "there" | "failed" | "lost", part: number,
 *   failure: string, fileId: string, width: number, height: number, thumbnail: Blob | null, shown: string, asItIs: boolean,
 *   isPicture: boolean, original: boolean,
 *   stop: () => void, known: Promise<unknown>,
 * } & Measures} Attached
 */

/** Of one message; the node holds to it too. */
const FILES_MAX = 16;
const FILE_BYTES_MAX = 2 * 1024 ** 3;
/** A message has 60 KiB: this much is left for thumbnails beside long words and 16 names. */
const THUMBNAILS_BYTES_MAX = 30 * 1024;

/** Touched on each change. @type {Signal<Map<string, Attached[]>>} by chat */
export const attachments = new Signal(/** @type {Map<string, Attached[]>} */ (new Map()));
/** One after another: pictures are large while they are drawn. */
let queue = Promise.resolve();

/** @param {string} chatId @returns {readonly Attached[]} */
export function attachedTo(chatId) {
  return attachments.value.get(chatId) ?? [];
}

/**
 * @param {string} chatId
 * @param {Iterable<File>} files
 * @param {Measures} [measures] of a recording
 */
export function attach(chatId, files, measures = { durationMs: 0, waveform: [] }) {
  const held = [...attachedTo(chatId)];
  const wanted = [...files];
  const room = FILES_MAX - held.length;
  if (wanted.length > room) tell(count("A message has {number} file at most.", "A message has {number} files at most.", FILES_MAX));
  const fresh = wanted.slice(0, room).map((source) => begun(source, measures));
  put(chatId, [...held, ...fresh]);
  for (const one of fresh) {
    one.known = describe(chatId, one).catch(() => {});
    line(chatId, one);
  }
}

/** @param {File} source @param {Measures} measures @returns {Attached} */
function begun(source, measures) {
  return { source, name: source.name, size: source.size, state: "waits", fileId: "", original: false, ...fresh(), ...measures };
}

/** What is not known of a file before it was looked at. */
function fresh() {
  const nothing = { part: 0, failure: "", width: 0, height: 0, thumbnail: null, shown: "", asItIs: false };
  return { ...nothing, isPicture: false, stop: () => {}, known: Promise.resolve() };
}

/** Have the node know of a file, and what is known of it by now. @param {string} chatId @param {Attached} one */
async function describe(chatId, one) {
  const { name, size, fileId } = one;
  const { thumbnail, ...measures } = await measured(one, one.thumbnail);
  const media_type = one.source?.type ?? "";
  const { file_id } = await wish("file.attach", { chat_id: chatId, file_id: fileId || null, name, size, media_type, thumbnail, ...measures });
  one.fileId = file_id ?? "";
  if (!attachedTo(chatId).includes(one)) void wish("file.forget", { file_id: one.fileId });
}

/** Chats whose attached files were asked for. @type {Set<string>} */
const asked = new Set();

/**
 * Show what the node knows to be attached in a chat: by an earlier page, or by another tab.
 *
 * @param {string} chatId
 */
export async function takeUp(chatId) {
  if (asked.has(chatId)) return;
  asked.add(chatId);
  await addMissing(chatId, () => true);
}

/** @param {string} chatId @param {(file: FileView) => boolean} isWanted */
async function addMissing(chatId, isWanted) {
  const { files } = await call("chat.attached", { chat_id: chatId });
  await Promise.all(attachedTo(chatId).map(({ known }) => known));
  const ids = new Set(attachedTo(chatId).map(({ fileId }) => fileId));
  const missing = files.filter((file) => isWanted(file) && !ids.has(file.file_id));
  if (missing.length) put(chatId, [...attachedTo(chatId), ...missing.map(takenUp)]);
}

/** @param {FileView} file @returns {Attached} */
function takenUp(file) {
  const { file_id: fileId, name, size, width, height, thumbnail_type: type } = file;
  const thumbnail = file.thumbnail ? new Blob([bytesOf(file.thumbnail)], { type }) : null;
  const shown = thumbnail ? `data:${type};base64,${file.thumbnail}` : "";
  const measures = { width, height, thumbnail, shown, durationMs: file.duration_ms, waveform: [...bytesOf(file.waveform)] };
  return { source: null, original: false, name, size, fileId, state: file.state === "staged" ? "there" : "lost", ...fresh(), ...measures };
}

on("file.changed", ({ chat_id, message_id, file_id, what }) => {
  if (!asked.has(chat_id)) return;
  if (what === "attached") void addMissing(chat_id, ({ state }) => state === "staged");
  else if (message_id || what === "forgotten") put(chat_id, attachedTo(chat_id).filter(({ fileId }) => fileId !== file_id));
});

/** Hand over what was lost with an earlier page. @param {string} chatId @param {Attached} one @param {File} source */
export function chooseAgain(chatId, one, source) {
  change(one, { source, name: source.name, size: source.size, state: "waits", ...fresh() });
  line(chatId, one);
}

/** @param {string} chatId @param {Attached} one */
export function detach(chatId, one) {
  put(chatId, attachedTo(chatId).filter((other) => other !== one));
  one.stop();
  // What the node has of it goes now, and not after a day.
  if (one.fileId) void wish("file.forget", { file_id: one.fileId });
}

/** @param {string} chatId @param {Attached} one */
export function tryAgain(chatId, one) {
  change(one, { state: "waits", failure: "", part: 0 });
  line(chatId, one);
}

/** Send a picture with all that a camera wrote into it, or without. @param {string} chatId @param {Attached} one @param {boolean} original */
export function sendOriginal(chatId, one, original) {
  const { source, fileId } = one;
  if (!source) return;
  one.stop();
  change(one, { name: source.name, size: source.size, state: "waits", fileId: "", original, ...fresh() });
  if (fileId) void wish("file.forget", { file_id: fileId });
  one.known = describe(chatId, one).catch(() => {});
  line(chatId, one);
}

/** @param {string} chatId @returns {boolean} whether all that is attached can be sent */
export function allThere(chatId) {
  return attachedTo(chatId).every(({ state }) => state === "there");
}

/** Take all that is attached, to send it. @param {string} chatId @returns {readonly Attached[]} */
export function takeAttached(chatId) {
  const taken = attachedTo(chatId);
  if (taken.length) put(chatId, []);
  return taken;
}

/** Attach again what could not be sent. @param {string} chatId @param {readonly Attached[]} taken */
export function putBack(chatId, taken) {
  if (taken.length) put(chatId, [...taken, ...attachedTo(chatId)]);
}

/**
 * Return what a message says of its files.
 *
 * @param {readonly Attached[]} taken
 * @returns {Promise<FileToSend[]>}
 */
export async function toSend(taken) {
  const pictures = taken.filter(({ thumbnail }) => thumbnail).length;
  return Promise.all(
    taken.map(async (one) => {
      const small = one.thumbnail && (await smallerThumbnail(one.thumbnail, THUMBNAILS_BYTES_MAX / Math.max(2, pictures)));
      return { file_id: one.fileId, description: "", ...(await measured(one, small)) };
    }),
  );
}

/** @param {Attached} one @param {Blob | null} thumbnail */
async function measured({ width, height, durationMs, waveform }, thumbnail) {
  return {
    thumbnail: thumbnail ? await base64(thumbnail) : "",
    thumbnail_type: thumbnail?.type ?? "",
    width,
    height,
    duration_ms: durationMs,
    waveform: btoa(String.fromCharCode(...waveform)),
  };
}

/** @param {string} chatId @param {Attached} one */
function line(chatId, one) {
  queue = queue.then(() => ready(chatId, one));
}

/** @param {string} chatId @param {Attached} one */
async function ready(chatId, one) {
  const { source } = one;
  await one.known;
  if (!source || !attachedTo(chatId).includes(one)) return;
  try {
    if (source.size > FILE_BYTES_MAX) throw new Error("a file has 2 GiB at most");
    change(one, { state: "moves" });
    const content = await drawnAnew(one, source);
    await describe(chatId, one);
    const { name } = await call("file.get", { file_id: one.fileId });
    if (!attachedTo(chatId).includes(one)) return;
    change(one, { name });
    const handing = handOver(content, name, content.type, (part) => change(one, { part }), one.fileId);
    one.stop = handing.stop;
    await handing.done;
    change(one, { state: "there", part: 1 });
    announce(say("{name} is attached.", { name: one.name }));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    change(one, { state: "failed", failure: explain(error) });
    tell(`${one.name}: ${one.failure}`);
  }
}

/** @param {Attached} one @param {File} source @returns {Promise<Blob>} the bytes that go out */
async function drawnAnew(one, source) {
  const drawn = await picture(source, one.original);
  const face = drawn ?? (await filmFace(source));
  if (face?.thumbnail) one.shown = `data:${face.thumbnail.type};base64,${await base64(face.thumbnail)}`;
  if (!drawn) {
    change(one, { asItIs: /^(image|video)\//u.test(source.type), ...face });
    return source;
  }
  const { content, ...rest } = drawn;
  change(one, { ...rest, size: content.size, isPicture: true });
  return content;
}

/** @param {string} text base64 */
function bytesOf(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** @param {Blob} blob */
async function base64(blob) {
  return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
}

/** @param {string} chatId @param {Attached[]} all */
function put(chatId, all) {
  attachments.value.set(chatId, all);
  attachments.touch();
}

/** @param {Attached} one @param {Partial<Attached>} what */
function change(one, what) {
  Object.assign(one, what);
  attachments.touch();
}
