/** Attaching files to what one writes: by a button, by pasting, or by dropping them on the chat. */

import { html, nothing } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { icons } from "../core/icons.js";
import { composerTools, composerTop } from "../core/places.js";
import { fileSize, say } from "../core/texts.js";
import { attach, attachedTo, chooseAgain, detach, sendOriginal, tryAgain } from "./attached.js";
import { percent } from "./moving.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */
/** @typedef {import("./attached.js").Attached} Attached */

composerTools.add({
  order: 10,
  draw: ({ chat_id }) => {
    /** @param {Event} event */
    const chosen = ({ currentTarget }) => {
      const input = /** @type {HTMLInputElement} */ (currentTarget);
      attach(chat_id, input.files ?? []);
      // So that the same file can be chosen again.
      input.value = "";
      focusOnWords();
    };
    return html`
      <button type="button" class="icon-button" aria-label=${say("Attach files")} title=${say("Attach files")} @click=${choose}>${icons.clip}</button>
      <input type="file" multiple hidden @change=${chosen}>
    `;
  },
});

/** @param {Event} event */
function choose({ currentTarget }) {
  const input = /** @type {HTMLElement} */ (currentTarget).nextElementSibling;
  if (input instanceof HTMLInputElement) input.click();
}

composerTop.add({
  order: 20,
  draw: ({ chat_id }) => {
    const all = attachedTo(chat_id);
    if (!all.length) return nothing;
    return html`<ul class="attached" aria-label=${say("Attached")}>${all.map((one) => html`<li>${row(chat_id, one)}</li>`)}</ul>`;
  },
});

/** @param {string} chatId @param {Attached} one */
function row(chatId, one) {
  const { name, state, shown } = one;
  const remove = say("Remove {name}", { name });
  return html`
    ${shown ? html`<img class="attached-face" src=${shown} alt="">` : html`<span class="attached-face">${icons.file}</span>`}
    <span class="grows">
      <bdi class="file-name">${name}</bdi>
      <small class="quiet ${state === "failed" || state === "lost" ? "danger" : ""}">${standing(one)}</small>
      ${originalButton(chatId, one)}
      ${state === "lost" && !one.waveform.length ? chooseAgainButton(chatId, one) : nothing}
      ${state === "failed" && one.source ? html`<button type="button" class="link-button" @click=${() => tryAgain(chatId, one)}>${say("Try again")}</button>` : nothing}
    </span>
    <button type="button" class="icon-button" aria-label=${remove} title=${remove} @click=${() => removed(chatId, one)}>${icons.close}</button>
  `;
}

/** @param {string} chatId @param {Attached} one */
function originalButton(chatId, one) {
  const { isPicture, asItIs, original, state } = one;
  // One that can't go otherwise has no choice.
  if (!isPicture || state !== "there" || (asItIs && !original)) return nothing;
  const label = original ? say("Leave that out") : say("Send the original");
  return html`<button type="button" class="link-button" @click=${() => sendOriginal(chatId, one, !original)}>${label}</button>`;
}

/** @param {string} chatId @param {Attached} one */
function chooseAgainButton(chatId, one) {
  /** @param {Event} event */
  const chosen = ({ currentTarget }) => {
    const source = /** @type {HTMLInputElement} */ (currentTarget).files?.[0];
    if (source) chooseAgain(chatId, one, source);
    focusOnWords();
  };
  return html`<button type="button" class="link-button" @click=${choose}>${say("Choose it again")}</button><input type="file" hidden @change=${chosen}>`;
}

/** @param {Attached} one */
function standing({ state, failure, part, size, asItIs }) {
  if (state === "failed") return failure;
  if (state === "lost") return say("The page was closed before all of it was here.");
  if (state === "waits") return say("Waits");
  if (state === "moves") return say("Being made ready, {percent}", { percent: percent(part) });
  // A person may not want to tell where a picture was taken.
  if (asItIs) return say("{size}, goes as it is: it may tell where and when it was taken", { size: fileSize(size) });
  return fileSize(size);
}

/** @param {string} chatId @param {Attached} one */
function removed(chatId, one) {
  detach(chatId, one);
  focusOnWords();
}

function focusOnWords() {
  const field = document.querySelector("skvoz-composer textarea");
  if (field instanceof HTMLElement) field.focus();
}

/** @returns {ChatView | null} the chat that one can write to at the moment */
function presentChat() {
  if (document.querySelector("dialog[open]")) return null;
  const composer = /** @type {(Element & { chat: ChatView | null }) | null} */ (document.querySelector("skvoz-composer"));
  return composer?.chat ?? null;
}

document.addEventListener("paste", (event) => {
  const { clipboardData } = event;
  const chat = presentChat();
  // What has words too, as out of a table, is pasted as words.
  if (!chat || !clipboardData?.files.length || clipboardData.types.includes("text/plain")) return;
  event.preventDefault();
  attach(chat.chat_id, clipboardData.files);
});

/** @param {DragEvent} event */
const bringsFiles = ({ dataTransfer }) => Boolean(dataTransfer?.types.includes("Files"));

/** @param {boolean} isOver */
function mark(isOver) {
  document.documentElement.toggleAttribute("data-dropping", isOver);
}

document.addEventListener("dragover", (event) => {
  if (!bringsFiles(event)) return;
  // Everywhere: else the browser would leave the page to show the file.
  event.preventDefault();
  const chat = presentChat();
  if (event.dataTransfer) event.dataTransfer.dropEffect = chat ? "copy" : "none";
  mark(chat !== null);
});
document.addEventListener("dragleave", ({ relatedTarget }) => {
  if (!relatedTarget) mark(false);
});
document.addEventListener("drop", (event) => {
  if (!bringsFiles(event)) return;
  event.preventDefault();
  mark(false);
  const chat = presentChat();
  if (!chat || !event.dataTransfer) return;
  const files = [...event.dataTransfer.items].filter((item) => item.kind === "file");
  const plain = files.filter((item) => !item.webkitGetAsEntry()?.isDirectory);
  if (plain.length < files.length) tell(say("A folder can't be sent: pack it into one file first."));
  attach(chat.chat_id, plain.flatMap((item) => item.getAsFile() ?? []));
  focusOnWords();
});
