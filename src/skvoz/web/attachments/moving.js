/** Files on their way between this home and a relay: how far they are, and what one can do about it. */

import { announce } from "../core/announce.js";
import { attempt } from "../core/attempt.js";
import { call, line, on, onProgress, wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { Signal } from "../core/signal.js";
import { numeral, say } from "../core/texts.js";

/** @typedef {import("../types/api.js").FileView} FileView */
/** @typedef {import("../types/api.js").MessageView} MessageView */
/** @typedef {import("../types/api.js").FileProgressView} FileProgressView */
/** @typedef {"picture" | "film" | "sound" | "document"} Kind */

/** What the node gives out as what it says it is; it decides that itself, this only asks for nothing else. */
const SHOWN = {
  picture: /^image\/(png|jpeg|gif|webp|avif)$/u,
  film: /^video\/(mp4|webm|ogg)$/u,
  sound: /^audio\/(mpeg|ogg|opus|wav|webm|mp4|aac|flac)$/u,
};

/** @param {FileView} file @returns {Kind} */
export function kindOf({ media_type: type }) {
  const kinds = /** @type {const} */ (["picture", "film", "sound"]);
  return kinds.find((kind) => SHOWN[kind].test(type)) ?? "document";
}

/** Touched on each change. @type {Signal<Map<string, number>>} how far files are, of one, by id */
export const progress = new Signal(/** @type {Map<string, number>} */ (new Map()));

/** @param {readonly FileProgressView[]} files */
function take(files) {
  for (const { file_id, done, total } of files) progress.value.set(file_id, total ? done / total : 1);
  progress.touch();
}

onProgress(take);
line.watch(() => {
  // What was told while the line was down is told by nobody again.
  if (line.value === "open") void call("file.progress", {}).then(({ files }) => take(files));
});

/** @param {number} part */
export function percent(part) {
  return `${numeral(Math.floor(part * 100))}\u00a0%`;
}

/** Files that somebody here waits for, and what is done once they are here. @type {Map<string, { name: string, then: () => void }>} */
const awaited = new Map();

on("file.changed", ({ file_id, what }) => {
  const wanted = awaited.get(file_id);
  if (!wanted || (what !== "here" && what !== "failed")) return;
  awaited.delete(file_id);
  const { name, then } = wanted;
  announce(what === "here" ? say("{name} is here.", { name }) : say("{name} could not be fetched.", { name }));
  if (what === "here") then();
});

/** @param {FileView} file @param {() => void} [then] what is done once it is here */
export function fetchFile({ file_id, name }, then = () => {}) {
  awaited.set(file_id, { name, then });
  return attempt(() => wish("file.fetch", { file_id }));
}

/** @param {FileView} file @param {boolean} paused */
export function pauseFile({ file_id }, paused) {
  return attempt(() => wish("file.pause", { file_id, paused }));
}

/** Give the room of a file back, or stop fetching it. @param {FileView} file */
export function forgetFile({ file_id }) {
  awaited.delete(file_id);
  progress.value.delete(file_id);
  return attempt(() => wish("file.forget", { file_id }));
}

/** Take back a message that waits for its files: nobody has it yet. @param {MessageView} message */
export function dontSend({ message_id, text }) {
  const act = () => {
    void attempt(() => wish("message.delete", { message_id, for_everyone: true }));
    // The button goes with the message.
    const field = document.querySelector("skvoz-composer textarea");
    if (field instanceof HTMLElement) field.focus();
  };
  if (!text) return act();
  const answers = [{ label: say("Don't send"), act, danger: true }];
  ask({ title: say("Don't send this message?"), text: say("Its words are deleted with it."), answers });
}

/** @param {string} file_id @returns {Promise<string>} where its bytes are, for some hours */
export async function addressOf(file_id) {
  return (await call("file.address", { file_id })).path;
}

/** Put a file where the browser puts downloads. @param {FileView} file */
export function save({ file_id, name }) {
  return attempt(async () => {
    const anchor = document.createElement("a");
    anchor.href = await addressOf(file_id);
    anchor.download = name;
    anchor.click();
  });
}

/** Fetch a file if need be, and save it. @param {FileView} file */
export function download(file) {
  return isHere(file) ? save(file) : fetchFile(file, () => void save(file));
}

/** @param {FileView} file @returns {boolean} whether its bytes are in this home */
export function isHere({ state }) {
  return state === "here" || state === "uploading";
}

/** @param {FileView} file @returns {string} what keeps it, in words; empty for nothing */
export function failureWords({ failure }) {
  switch (failure) {
    case "":
      return "";
    case "relay_full":
      return say("The relay has no room for it; it is tried again.");
    case "too_big":
      return say("The relay takes no file this big.");
    case "file_gone":
      return say("The relay does not have it any more.");
    case "file_damaged":
      return say("It is damaged.");
    case "disk_full":
      return say("The disk of this machine is full.");
    case "left":
      return say("You are not in this chat any more.");
    default:
      return say("The relay refused it.");
  }
}
