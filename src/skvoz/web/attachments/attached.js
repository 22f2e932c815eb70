/** What is attached in each chat and not sent yet: made ready and handed to the node one after another. */

import { announce, tell } from "../core/announce.js";
import { wish } from "../core/connection.js";
import { Signal } from "../core/signal.js";
import { count, explain, say } from "../core/texts.js";
import { handOver } from "./hand_over.js";
import { picture, smallerThumbnail } from "./pictures.js";

/** @typedef {import("../types/api.js").FileToSend} FileToSend */
/** @typedef {{ durationMs: number, waveform: number[] }} Measures */
/**
 * `part`: how much the node has, of one. `shown`: an address of the thumbnail. `asItIs`: a picture that could not be drawn anew.
 *
 * @typedef {{
 *   source: File, name: string, size: number, state: "waits" | "moves" | "there" | "failed", part: number, failure: string,
 *   fileId: string, width: number, height: number, thumbnail: Blob | null, shown: string, asItIs: boolean, stop: () => void,
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
  for (const one of fresh) line(chatId, one);
}

/** @param {File} source @param {Measures} measures @returns {Attached} */
function begun(source, measures) {
  const nothing = { part: 0, failure: "", fileId: "", width: 0, height: 0, thumbnail: null, shown: "", asItIs: false };
  return { source, name: source.name, size: source.size, state: "waits", ...nothing, ...measures, stop: () => {} };
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
    taken.map(async ({ fileId, width, height, thumbnail, durationMs, waveform }) => {
      const small = thumbnail && (await smallerThumbnail(thumbnail, THUMBNAILS_BYTES_MAX / Math.max(2, pictures)));
      return {
        file_id: fileId,
        description: "",
        thumbnail: small ? await base64(small) : "",
        thumbnail_type: small?.type ?? "",
        width,
        height,
        duration_ms: durationMs,
        waveform: btoa(String.fromCharCode(...waveform)),
      };
    }),
  );
}

/** @param {string} chatId @param {Attached} one */
function line(chatId, one) {
  queue = queue.then(() => ready(chatId, one));
}

/** @param {string} chatId @param {Attached} one */
async function ready(chatId, one) {
  if (!attachedTo(chatId).includes(one)) return;
  try {
    if (one.source.size > FILE_BYTES_MAX) throw new Error("a file has 2 GiB at most");
    change(one, { state: "moves" });
    const content = await drawnAnew(one);
    if (!attachedTo(chatId).includes(one)) return;
    const handing = handOver(content, one.name, content.type, (part) => change(one, { part }));
    one.stop = handing.stop;
    change(one, { fileId: await handing.done, state: "there", part: 1 });
    announce(say("{name} is attached.", { name: one.name }));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    change(one, { state: "failed", failure: explain(error) });
    tell(`${one.name}: ${one.failure}`);
  }
}

/** @param {Attached} one @returns {Promise<Blob>} the bytes that go out */
async function drawnAnew(one) {
  const drawn = await picture(one.source);
  if (!drawn) {
    change(one, { asItIs: one.source.type.startsWith("image/") });
    return one.source;
  }
  const { content, name, width, height, thumbnail } = drawn;
  const shown = thumbnail ? `data:${thumbnail.type};base64,${await base64(thumbnail)}` : "";
  change(one, { name, size: content.size, width, height, thumbnail, shown });
  return content;
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
