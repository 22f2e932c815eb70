/** The page about a chat: who it is, and what can be settled. Sections come from `chatSections`. */

import { html, nothing } from "../vendor/lit.js";
import { tell } from "../core/announce.js";
import { call, wish } from "../core/connection.js";
import { icons } from "../core/icons.js";
import { Part } from "../core/part.js";
import { avatar, chatName } from "../core/people.js";
import { chatSections, screens } from "../core/places.js";
import { back } from "../core/router.js";
import { explain, language, say } from "../core/texts.js";
import { chats, refreshChat } from "../state/chats.js";

/** @typedef {import("../types/api.js").ChatView} ChatView */

class About extends Part {
  static properties = { chatId: {} };

  constructor() {
    super();
    this.chatId = "";
    this.watch(chats, language);
  }

  firstUpdated() {
    if (!chats.value.has(this.chatId)) refreshChat(this.chatId);
    void this.focusOn("h1");
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

/**
 * Do something, and say why where it is refused.
 *
 * @param {() => Promise<unknown>} what
 */
export async function attempt(what) {
  try {
    await what();
  } catch (error) {
    tell(explain(error));
  }
}

/** A person's safety number, and whether it was compared. */
class SafetyNumber extends Part {
  static properties = { accountId: {}, digits: { state: true }, verified: { state: true } };

  constructor() {
    super();
    this.accountId = "";
    this.digits = "";
    this.verified = false;
    this.watch(language);
    this.hear("contact.changed", ({ account_id }) => {
      if (account_id === this.accountId) void this.load();
    });
  }

  /** @param {Map<PropertyKey, unknown>} changed */
  willUpdate(changed) {
    if (changed.has("accountId") && this.accountId) void this.load();
  }

  /** @private */
  async load() {
    const found = await call("contact.safety_number", { account_id: this.accountId });
    this.digits = found.digits;
    this.verified = found.verified;
  }

  render() {
    return html`
      <section class="settings" aria-labelledby="safety">
        <h2 id="safety">${say("Safety number")}</h2>
        <p class="quiet">${say("If it is the same at both of you, nobody sits between you. Read it to each other over another way, or side by side.")}</p>
        <p class="digits">${this.digits.split(/\s+/u).map((group) => html`<span>${group}</span>`)}</p>
        ${this.verified
          ? html`
              <p class="row verified">${icons.verified}<span>${say("Compared")}</span></p>
              <button class="button" @click=${() => this.mark(false)}>${say("It is different now")}</button>
            `
          : html`<button class="main-button" @click=${() => this.mark(true)}>${say("They are the same")}</button>`}
      </section>
    `;
  }

  /** @private @param {boolean} verified */
  mark(verified) {
    return attempt(() => wish("contact.verify", { account_id: this.accountId, verified }));
  }
}

customElements.define("skvoz-safety-number", SafetyNumber);
chatSections.add({
  order: 30,
  draw: (chat) => (chat.kind === "direct" ? html`<skvoz-safety-number .accountId=${chat.chat_id}></skvoz-safety-number>` : nothing),
});

chatSections.add({
  order: 20,
  draw: (chat) => html`
    <section class="settings" aria-labelledby="quiet">
      <h2 id="quiet">${say("Notifications")}</h2>
      <label class="switch">
        <input type="checkbox" .checked=${chat.muted} @change=${() => attempt(() => wish("chat.mute", { chat_id: chat.chat_id, muted: !chat.muted }))}>
        <span>${say("Keep this chat quiet")}</span>
      </label>
    </section>
  `,
});

customElements.define("skvoz-about", About);
screens.set("chat-about", ({ id }) => html`<skvoz-about .chatId=${id ?? ""}></skvoz-about>`);
