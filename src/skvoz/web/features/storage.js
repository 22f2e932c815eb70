/** Room on the disk: what takes it, and files given back. */

import { html, nothing } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { attempt } from "../core/attempt.js";
import { call, wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { Part } from "../core/part.js";
import { chatName } from "../core/people.js";
import { settingsSections } from "../core/places.js";
import { count, fileSize, language, say } from "../core/texts.js";
import { chats } from "../state/chats.js";

/** @typedef {import("../types/api.js").StorageView} StorageView */
/** @typedef {import("../types/api.js").StoredFileView} StoredFileView */
/** @typedef {{ chat_id?: string, before_ms?: number }} Which */

const DAY_MS = 24 * 3600 * 1000;
const SHOWN = 8;
const PAGE = 200;

class Storage extends Part {
  static properties = { used: { state: true }, largest: { state: true }, busy: { state: true } };

  constructor() {
    super();
    /** @type {StorageView | null} */
    this.used = null;
    /** @type {readonly StoredFileView[]} */
    this.largest = [];
    this.busy = false;
    this.watch(language, chats);
  }

  firstUpdated() {
    void this.look();
  }

  /** @private */
  async look() {
    const [used, { files }] = await Promise.all([call("storage.get", {}), call("storage.files", { limit: SHOWN })]);
    this.used = used;
    this.largest = files;
  }

  render() {
    const { used } = this;
    if (!used) return nothing;
    return html`
      <p>${say("Messages: {messages}. Files: {files}. Free on the disk: {free}.", { messages: fileSize(used.database), files: fileSize(used.size), free: fileSize(used.free) })}</p>
      ${used.files ? this.freeing(used) : nothing}
    `;
  }

  /** @private @param {StorageView} used */
  freeing({ chats: found }) {
    return html`
      <p class="quiet">${say("Freed files can be fetched again while the relay has them, as a rule for 30 days after they were sent. Files that have not gone out yet are never freed.")}</p>
      <form class="row" @submit=${this.freeOld}>
        <label class="field">
          <span>${say("Files older than")}</span>
          <select name="days">
            ${[7, 30, 90, 365].map((days) => html`<option value=${days}>${count("{number} day", "{number} days", days)}</option>`)}
          </select>
        </label>
        <button class="button" ?disabled=${this.busy}>${say("Free them")}</button>
      </form>
      <h3>${say("By chat")}</h3>
      <ul class="people">
        ${found.slice(0, SHOWN).map(({ chat_id, files, size }) => {
          const chat = chats.value.get(chat_id);
          const name = chat ? chatName(chat) : say("A chat that is gone");
          const what = count("{number} file", "{number} files", files);
          return this.row(name, `${what}, ${fileSize(size)}`, () => this.askFirst(name, size, { chat_id }));
        })}
      </ul>
      <h3>${say("The largest")}</h3>
      <ul class="people">
        ${this.largest.map((file) => this.row(file.name || say("File"), fileSize(file.size), () => this.free([file.file_id])))}
      </ul>
    `;
  }

  /** @private @param {string} name @param {string} about @param {() => void} free */
  row(name, about, free) {
    return html`
      <li>
        <span class="name"><span dir="auto">${name}</span><small class="quiet">${about}</small></span>
        <button class="button" aria-label=${say("Free {name}", { name })} ?disabled=${this.busy} @click=${free}>${say("Free")}</button>
      </li>
    `;
  }

  /** @private @param {string} name @param {number} size @param {Which} which */
  askFirst(name, size, which) {
    ask({
      title: say("Free the files of {name}?", { name }),
      text: say("{size} are given back. What the relay has no longer can't be fetched again.", { size: fileSize(size) }),
      answers: [{ label: say("Free them"), act: () => void this.freeAll(which) }],
    });
  }

  /** @private @param {SubmitEvent} event */
  freeOld(event) {
    event.preventDefault();
    const days = Number(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("days"));
    ask({
      title: say("Free old files?"),
      text: say("What the relay has no longer can't be fetched again."),
      answers: [{ label: say("Free them"), act: () => void this.freeAll({ before_ms: Date.now() - days * DAY_MS }) }],
    });
  }

  /** @private @param {Which} which */
  freeAll(which) {
    return this.working(async () => {
      for (;;) {
        const { files } = await call("storage.files", { ...which, limit: PAGE });
        if (!files.length) return;
        await freeEach(files.map(({ file_id }) => file_id));
      }
    });
  }

  /** @private @param {string[]} fileIds */
  free(fileIds) {
    return this.working(() => freeEach(fileIds));
  }

  /** @private @param {() => Promise<void>} work */
  async working(work) {
    this.busy = true;
    await attempt(async () => {
      await work();
      tell(say("Freed."));
    });
    this.busy = false;
    await this.look();
  }
}

/** @param {string[]} fileIds */
async function freeEach(fileIds) {
  await Promise.all(fileIds.map((file_id) => wish("file.forget", { file_id })));
}

customElements.define("skvoz-storage", Storage);
settingsSections.add({ order: 60, title: () => say("Storage"), draw: () => html`<skvoz-storage></skvoz-storage>` });
