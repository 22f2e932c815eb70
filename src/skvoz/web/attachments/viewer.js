/** A picture seen large, in the browser's own dialog, and from it the chat's other pictures. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { Signal } from "../core/signal.js";
import { fileSize, language, numeral, say } from "../core/texts.js";
import { openConversation } from "../state/conversation.js";
import { addressOf, failureWords, fetchFile, isHere, kindOf, percent, progress, save } from "./moving.js";

/** @typedef {import("../types/api.js").FileView} FileView */

/** @type {Signal<{ chatId: string, fileId: string } | null>} */
const shown = new Signal(/** @type {{ chatId: string, fileId: string } | null} */ (null));

/** @param {string} chatId @param {string} fileId */
export function openPicture(chatId, fileId) {
  shown.value = { chatId, fileId };
}

function close() {
  shown.value = null;
}

/** @param {string} chatId @returns {FileView[]} the oldest first */
function picturesOf(chatId) {
  return openConversation(chatId)
    .messages.filter((message) => !message.deleted)
    .flatMap(({ files }) => files.filter((file) => kindOf(file) === "picture"));
}

class Viewer extends Part {
  static properties = { address: { state: true }, isBroken: { state: true } };

  constructor() {
    super();
    this.address = "";
    this.isBroken = false;
    /** @private The file that `address` leads to. */
    this.found = "";
    /** @private */
    this.ended = () => {};
    this.watch(shown, language, progress);
    shown.watch(() => this.follow());
  }

  /** @private Pictures come while one looks. */
  follow() {
    this.ended();
    const { value } = shown;
    this.ended = value ? openConversation(value.chatId).changed.watch(() => this.requestUpdate()) : () => {};
  }

  updated() {
    const dialog = this.querySelector("dialog");
    if (dialog && !dialog.open) dialog.showModal();
    // The button that fetched is gone: without the focus the keys would lead nowhere.
    if (dialog && !dialog.contains(document.activeElement)) dialog.focus();
    const file = this.present?.file;
    if (file && isHere(file) && this.found !== file.file_id) void attempt(() => this.find(file.file_id));
  }

  /** @private @param {string} fileId */
  async find(fileId) {
    this.found = fileId;
    this.address = "";
    this.isBroken = false;
    const address = await addressOf(fileId);
    if (this.found === fileId) this.address = address;
  }

  /** @private */
  get present() {
    const { value } = shown;
    if (!value) return null;
    const all = picturesOf(value.chatId);
    const at = all.findIndex(({ file_id }) => file_id === value.fileId);
    const file = all[at];
    return file ? { file, at, all } : null;
  }

  render() {
    const { value } = shown;
    if (!value) return nothing;
    const { present } = this;
    const name = present?.file.name ?? "";
    return html`
      <dialog class="viewer" tabindex="-1" aria-label=${say("Picture")} @close=${close} @keydown=${this.key}>
        <header class="bar">
          <p class="grows" aria-live="polite">
            <bdi class="file-name">${name}</bdi>
            ${present ? html`<small class="quiet">${say("{number} of {all}", { number: numeral(present.at + 1), all: numeral(present.all.length) })}, ${fileSize(present.file.size)}</small>` : nothing}
          </p>
          ${present && isHere(present.file) ? iconButton(say("Download"), icons.download, () => save(present.file)) : nothing}
          ${iconButton(say("Close"), icons.close, () => this.querySelector("dialog")?.close())}
        </header>
        <div class="stage">${present ? this.stage(present.file) : html`<p>${say("This picture is not here any more.")}</p>`}</div>
        ${present && present.all.length > 1
          ? html`
              <div class="row turning">
                ${iconButton(say("The picture before"), icons.back, () => this.turn(-1), present.at === 0)}
                ${iconButton(say("The picture after"), icons.forward, () => this.turn(1), present.at === present.all.length - 1)}
              </div>
            `
          : nothing}
      </dialog>
    `;
  }

  /** @private @param {FileView} file */
  stage(file) {
    if (isHere(file)) {
      if (this.isBroken) return html`<p>${say("This picture can't be shown. You can download the file.")}</p>`;
      if (!this.address || this.found !== file.file_id) return nothing;
      const failed = () => {
        this.isBroken = true;
      };
      return html`<img src=${this.address} alt=${file.description || file.name} @error=${failed}>`;
    }
    const part = progress.value.get(file.file_id) ?? 0;
    return html`
      ${file.thumbnail ? html`<img class="preview" src="data:${file.thumbnail_type};base64,${file.thumbnail}" alt="">` : nothing}
      ${file.state === "downloading"
        ? html`<progress max="1" .value=${part} aria-label=${file.name}></progress><p>${percent(part)}</p>`
        : html`
            <p>${failureWords(file)}</p>
            <button class="main-button" @click=${() => fetchFile(file)}>${say("Fetch, {size}", { size: fileSize(file.size) })}</button>
          `}
    `;
  }

  /** @private @param {KeyboardEvent} event */
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    this.turn(step);
  }

  /** @private @param {number} step */
  turn(step) {
    const { present } = this;
    const next = present?.all[present.at + step];
    if (next && shown.value) openPicture(shown.value.chatId, next.file_id);
  }
}

/** @param {string} label @param {unknown} icon @param {() => void} act @param {boolean} [isOff] */
function iconButton(label, icon, act, isOff = false) {
  // Stays reachable at either end, so that the focus is not lost there.
  return html`<button class="icon-button" aria-label=${label} title=${label} aria-disabled=${isOff} @click=${act}>${icon}</button>`;
}

customElements.define("skvoz-viewer", Viewer);
document.body.append(document.createElement("skvoz-viewer"));
