/** Filters and folders above the list of chats, once there are enough chats to need them. */

import { html, nothing } from "../vendor/lit.js";
import { attempt } from "../core/attempt.js";
import { wish } from "../core/connection.js";
import { ask } from "../core/dialog.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { chatName } from "../core/people.js";
import { listTop } from "../core/places.js";
import { language, say } from "../core/texts.js";
import { chats, sortedChats } from "../state/chats.js";
import { filter, folders, loadFolders } from "../state/folders.js";
import { account } from "../state/home.js";

/** With fewer chats nobody looks for one. */
const MANY = 8;

class Filters extends Part {
  constructor() {
    super();
    this.watch(chats, filter, folders, language, account);
    /** @private */
    this.asked = false;
  }

  render() {
    // Folders are an account's, which a new home has not yet.
    if (account.value && !this.asked) {
      this.asked = true;
      void loadFolders();
    }
    if (chats.value.size <= MANY && !folders.value.length) return nothing;
    const kinds = [["all", say("All")], ["unread", say("Unread")], ["groups", say("Groups")], ["people", say("People")]];
    return html`
      <div class="filters" role="group" aria-label=${say("Which chats")}>
        ${kinds.map(([kind = "", label = ""]) => one(kind, label))}
        ${folders.value.map(({ name }, number) => one(number, name))}
        ${typeof filter.value === "number" ? html`<button aria-label=${say("Change this folder")} @click=${() => edit(/** @type {number} */ (filter.value))}>${icons.edit}</button>` : nothing}
        <button aria-label=${say("New folder")} @click=${() => edit(folders.value.length)}>${icons.plus}</button>
      </div>
    `;
  }
}

/** @param {string | number} value @param {string} label */
function one(value, label) {
  return html`<button dir="auto" aria-pressed=${filter.value === value} @click=${() => (filter.value = value)}>${label}</button>`;
}

/** @param {number} number of a folder, or one more than there are */
function edit(number) {
  const present = folders.value[number];
  let name = present?.name ?? "";
  const chosen = new Set(present?.chats);
  ask({
    title: present ? say("Change this folder") : say("New folder"),
    body: html`
      <label class="field">
        <span>${say("Name of the folder")}</span>
        <input maxlength="64" dir="auto" .value=${name} @input=${(/** @type {InputEvent} */ event) => (name = /** @type {HTMLInputElement} */ (event.target).value)}>
      </label>
      <fieldset class="folder-chats">
        <legend>${say("Chats in it")}</legend>
        ${sortedChats().map((chat) => html`
          <label class="switch">
            <input type="checkbox" .checked=${chosen.has(chat.chat_id)} @change=${() => void (chosen.delete(chat.chat_id) || chosen.add(chat.chat_id))}>
            <span dir="auto">${chatName(chat)}</span>
          </label>
        `)}
      </fieldset>
    `,
    answers: [
      ...(present ? [{ label: say("Delete the folder"), act: () => keep(folders.value.toSpliced(number, 1), "all"), danger: true }] : []),
      { label: say("Save"), act: () => keep(folders.value.toSpliced(number, 1, { name, chats: [...chosen] }), number) },
    ],
  });
}

/** @param {import("../types/api.js").FolderView[]} wanted @param {string | number} then which to show */
function keep(wanted, then) {
  void attempt(async () => {
    await wish("folder.keep", { folders: wanted });
    folders.value = wanted;
    filter.value = then;
  });
}

customElements.define("skvoz-filters", Filters);
listTop.add({ order: 20, draw: () => html`<skvoz-filters></skvoz-filters>` });
