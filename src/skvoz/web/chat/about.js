/** The page about a chat: who it is, and what can be settled. Sections come from `chatSections`. */

import { html } from "../vendor/lit.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { avatar, chatName } from "../core/people.js";
import { chatSections, screens } from "../core/places.js";
import { back } from "../core/router.js";
import { language, say } from "../core/texts.js";
import { chats, refreshChat } from "../state/chats.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */

class About extends Part {
  static properties = { chatId: {}, wanted: {} };

  constructor() {
    super();
    this.chatId = "";
    /** What one came for, which takes the focus itself. */
    this.wanted = "";
    this.watch(chats, language);
  }

  firstUpdated() {
    if (!chats.value.has(this.chatId)) refreshChat(this.chatId);
    if (!this.wanted) void this.focusOn("h1");
  }

  render() {
    const chat = chats.value.get(this.chatId);
    if (!chat) return html`<main class="plain" aria-busy="true"></main>`;
    const name = chatName(chat);
    return html`
      <main class="plain">
        <div class="sheet wide">
          <button class="icon-button back" aria-label=${say("Back")} @click=${back}>${icons.back}</button>
          <div class="about-head">
            ${avatar(chat.chat_id, name, "large")}
            <h1 tabindex="-1" dir="auto">${name}</h1>
          </div>
          ${chatSections.all.map(({ draw }) => draw(chat))}
        </div>
      </main>
    `;
  }
}

customElements.define("skvoz-about", About);
screens.set("chat-about", ({ id, part }) => html`<skvoz-about .chatId=${id ?? ""} .wanted=${part ?? ""}></skvoz-about>`);
